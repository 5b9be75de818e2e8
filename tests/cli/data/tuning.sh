#!/bin/sh
# Prints a tuning of this machine's device with the rules given, a line each; with --name the name of its file.
fact() { norn devices --json | sed -n "s/^ *\"$1\": \"\\(.*\\)\",*\$/\\1/p" | head -n 1; }
platform=$(fact platform) version=$(fact platform_version) name=$(fact name) driver=$(fact driver)
if [ "$1" = --name ]; then
    hash=$(printf '%s\0%s\0%s\0%s\0' "$platform" "$version" "$name" "$driver" | sha256sum | cut -c 1-8)
    echo "$(echo "$name" | tr 'A-Z' 'a-z' | tr -cs 'a-z0-9\n' _ | cut -c 1-40)-$hash.tuning"
    exit 0
fi
printf 'norn-tuning 1\nplatform: %s\nplatform-version: %s\ndevice: %s\ndriver: %s\n' "$platform" "$version" "$name" "$driver"
for rule; do echo "$rule"; done
