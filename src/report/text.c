/* See text.h. */
#include "report/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

norn_text norn_text_new(const norn_host *host)
{
    return (norn_text){.host = norn_host_copy(host)};
}

void norn_text_free(norn_text *text)
{
    const norn_host host = text->host;
    norn_delete(&host, text->bytes, text->capacity, 1);
    *text = (norn_text){.host = host};
}

/* Room for so many more bytes and the end. */
static bool make_room(norn_text *text, size_t more)
{
    if (text->failed) return false;
    if (text->capacity - text->length > more) return true;
    size_t wanted = text->capacity ? text->capacity : 256;
    while (wanted - text->length <= more && wanted < SIZE_MAX / 2) wanted *= 2;
    void *bytes = text->bytes;
    if (wanted - text->length <= more || !norn_resize(&text->host, &bytes, text->capacity, wanted, 1)) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = wanted;
    return true;
}

void norn_text_add(norn_text *text, const char *bytes, size_t length)
{
    if (!make_room(text, length)) return;
    if (length) memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
}

void norn_text_put(norn_text *text, const char *string)
{
    norn_text_add(text, string, strlen(string));
}

void norn_text_format(norn_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !make_room(text, (size_t)length)) {
        text->failed = true;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
    va_end(arguments);
    text->length += (size_t)length;
}

/* ---- escapes ---- */

void norn_text_html(norn_text *text, const char *string)
{
    for (const char *at = string; *at; at++) {
        switch (*at) {
        case '&':
            norn_text_put(text, "&amp;");
            break;
        case '<':
            norn_text_put(text, "&lt;");
            break;
        case '>':
            norn_text_put(text, "&gt;");
            break;
        case '"':
            norn_text_put(text, "&quot;");
            break;
        case '\'':
            norn_text_put(text, "&#39;");
            break;
        default:
            norn_text_add(text, at, 1);
        }
    }
}

void norn_text_markdown(norn_text *text, const char *string)
{
    for (const char *at = string; *at; at++) {
        if (*at == '<')
            norn_text_put(text, "&lt;");
        else if (*at == '>')
            norn_text_put(text, "&gt;");
        else if (*at == '&')
            norn_text_put(text, "&amp;");
        else if (*at == '@') /* a person would be told of it */
            norn_text_put(text, "&#64;");
        else {
            if (strchr("\\`*_{}[]()#+!|~", *at)) norn_text_put(text, "\\");
            norn_text_add(text, at, 1);
        }
    }
}

void norn_text_shell(norn_text *text, const char *string)
{
    bool plain = string[0] != '\0';
    for (const char *at = string; *at && plain; at++)
        plain = isalnum((unsigned char)*at) || strchr("-_./,:=+@%", *at);
    if (plain) {
        norn_text_put(text, string);
        return;
    }
    norn_text_put(text, "'");
    for (const char *at = string; *at; at++)
        if (*at == '\'')
            norn_text_put(text, "'\\''");
        else
            norn_text_add(text, at, 1);
    norn_text_put(text, "'");
}

const char *norn_text_name(char out[NORN_NAME_ROOM], const char *name)
{
    return norn_quote(out, NORN_NAME_ROOM, name, strlen(name), NORN_NAME_LIMIT);
}

/* ---- numbers ---- */

/* Commas between groups of three digits of the whole part, in place. */
static void group_digits(char out[NORN_NUMBER_ROOM])
{
    const size_t sign = out[0] == '-', digits = strspn(out + sign, "0123456789"), length = strlen(out);
    const size_t commas = digits ? (digits - 1) / 3 : 0;
    if (length + commas >= NORN_NUMBER_ROOM) return;
    size_t to = length + commas;
    out[to--] = '\0';
    size_t from = length;
    while (from > sign + digits) out[to--] = out[--from];
    for (size_t i = 1; from > sign; i++) {
        out[to--] = out[--from];
        if (i % 3 == 0 && from > sign) out[to--] = ',';
    }
}

/* No -0.0: what is rounded to nothing has no sign. */
static void drop_sign(char out[NORN_NUMBER_ROOM])
{
    if (out[0] == '-' && out[1 + strspn(out + 1, "0.")] == '\0') memmove(out, out + 1, strlen(out));
}

const char *norn_text_number(char out[NORN_NUMBER_ROOM], double value)
{
    const double size = fabs(value);
    if (!isfinite(value)) {
        (void)snprintf(out, NORN_NUMBER_ROOM, "-");
    } else if (size >= 1e9 || (size > 0.0 && size < 1e-3)) {
        (void)snprintf(out, NORN_NUMBER_ROOM, "%.3e", value);
    } else {
        const int decimals = size >= 1000.0 ? 0 : size >= 100.0 ? 1 : size >= 10.0 ? 2 : size >= 1.0 ? 3 : 4;
        (void)snprintf(out, NORN_NUMBER_ROOM, "%.*f", decimals, value);
        group_digits(out);
        drop_sign(out);
    }
    return out;
}

const char *norn_text_count(char out[NORN_NUMBER_ROOM], uint64_t value)
{
    (void)snprintf(out, NORN_NUMBER_ROOM, "%llu", (unsigned long long)value);
    group_digits(out);
    return out;
}

const char *norn_text_percent(char out[NORN_NUMBER_ROOM], double share)
{
    if (!isfinite(share))
        (void)snprintf(out, NORN_NUMBER_ROOM, "-");
    else if (fabs(share) >= 1e6)
        (void)snprintf(out, NORN_NUMBER_ROOM, "%.3e %%", 100.0 * share);
    else {
        (void)snprintf(out, NORN_NUMBER_ROOM, "%.1f", 100.0 * share);
        drop_sign(out);
        (void)memcpy(out + strlen(out), " %", sizeof " %");
    }
    return out;
}

const char *norn_text_p(char out[NORN_NUMBER_ROOM], double p)
{
    if (p < 0.001)
        (void)snprintf(out, NORN_NUMBER_ROOM, "p < 0.001");
    else
        (void)snprintf(out, NORN_NUMBER_ROOM, "p = %.3f", p);
    return out;
}
