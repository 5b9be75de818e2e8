/*
 * Tests JSON from standard input, for cases.txt: json_check [CHECK...]
 *
 *   a.0.b          there is such a value
 *   a.0.b=text     and it is this (numbers as printf's %.15g; null, true and false by name)
 *   #a=3           the array a has three elements
 *
 * Exit code 0: the text is JSON, without duplicate keys, and all checks hold; 1: not, said on standard error.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json_t *find(const json_t *value, const char *path, size_t length)
{
    while (value && length) {
        const char *dot = memchr(path, '.', length);
        const size_t part = dot ? (size_t)(dot - path) : length;
        char key[128];
        (void)snprintf(key, sizeof key, "%.*s", (int)part, path);
        value = json_is_array(value) ? json_array_get(value, (size_t)strtoul(key, NULL, 10))
                                     : json_object_get(value, key);
        path += dot ? part + 1 : part;
        length -= dot ? part + 1 : part;
    }
    return value;
}

static const char *text_of(const json_t *value, char out[64])
{
    if (json_is_string(value)) return json_string_value(value);
    if (json_is_number(value))
        (void)snprintf(out, 64, "%.15g", json_number_value(value));
    else
        (void)snprintf(out, 64, "%s", json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
    return out;
}

int main(int argc, char **argv)
{
    json_error_t error;
    json_t *root = json_loadf(stdin, JSON_REJECT_DUPLICATES, &error);
    int failed = 0;
    if (!root) {
        (void)fprintf(stderr, "not JSON: %s (line %d)\n", error.text, error.line);
        return 1;
    }
    for (int i = 1; i < argc; i++) {
        const int counted = argv[i][0] == '#';
        const char *path = argv[i] + counted, *wanted = strchr(path, '=');
        const json_t *value = find(root, path, wanted ? (size_t)(wanted - path) : strlen(path));
        char text[64];
        const char *got = "";
        if (value && counted) {
            (void)snprintf(text, sizeof text, "%zu", json_array_size(value));
            got = text;
        } else if (value) {
            got = text_of(value, text);
        }
        if (!value || (wanted && strcmp(wanted + 1, got) != 0)) {
            (void)fprintf(stderr, "%s: found %s\n", argv[i], value ? got : "no such value");
            failed = 1;
        }
    }
    json_decref(root);
    return failed;
}
