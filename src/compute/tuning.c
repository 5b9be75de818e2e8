/*
 * Tunings: rules and their file (docs/norn-tune.1.scd has the format).
 *
 * The file is text, a thing a line, and is read strictly: what is not exactly as the writer has it, but for
 * empty lines and comments, is an error with its place. A tuning decides about bits, so that a guess at what
 * was meant would be worse than none.
 */
#include "compute/tuning.h"

#include "base/file.h"
#include "base/sha256.h"

#include "compute/compute.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const parameters[NORN_TUNING_PARAMETERS] = {
    "GEMMK", "KREG", "KWG", "KWI", "MDIMA", "MDIMC", "MWG", "NDIMB",
    "NDIMC", "NWG",  "SA",  "SB",  "STRM",  "STRN",  "VWM", "VWN"};
enum { MOST_PARAMETER = 1024, LINE_ROOM = 512 };

const char *norn_tuning_parameter_name(size_t index)
{
    return index < NORN_TUNING_PARAMETERS ? parameters[index] : NULL;
}

/* ---- rules -----------------------------------------------------------------------------------------------
 */

const char *norn_mapping_fault(const norn_mapping *m)
{
    const unsigned v = m->vector_width, l = m->local_size;
    return v != 1 && v != 4 && v != 8 && v != 16    ? "a vector has 1, 4, 8 or 16 floats"
           : l < 1 || l > 256 || (l & (l - 1)) != 0 ? "a group has a power of two of work-items, up to 256"
           : v * l < 4                              ? "a group's vectors have 4 floats together at least"
           : m->rows < 1 || m->rows > 8             ? "a group has 1 to 8 rows"
           : (unsigned)m->stage > 1                 ? "there are two paths"
                                                    : "";
}

/* ---- the text --------------------------------------------------------------------------------------------
 */

/* Takes a line of the file. */
typedef void (*take_line)(void *user, const char *line, size_t length);

static void say(take_line take, void *user, const char *format, ...) NORN_PRINTF(3, 4);
static void say(take_line take, void *user, const char *format, ...)
{
    char line[LINE_ROOM];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < sizeof line) take(user, line, (size_t)length);
}

static void spell(const norn_tuning *t, take_line take, void *user)
{
    say(take, user, "norn-tuning %d\nplatform: %s\nplatform-version: %s\n", (int)NORN_TUNING_FORMAT,
        t->platform, t->platform_version);
    say(take, user, "device: %s\ndriver: %s\n", t->device, t->driver);
    for (size_t i = 0; i < t->rule_count; i++) {
        const norn_tuning_rule *r = &t->rules[i];
        say(take, user, "rule gates=%u hidden=%zu local=%u vector=%u rows=%u path=%s\n", r->gates, r->hidden,
            r->mapping.local_size, r->mapping.vector_width, r->mapping.rows,
            r->mapping.stage ? "stage" : "sequence");
    }
    for (size_t i = 0; t->has_product && i < NORN_TUNING_PARAMETERS; i++)
        say(take, user, "%s %s=%zu%s", i ? "" : "product", parameters[i], t->product[i],
            i + 1 < NORN_TUNING_PARAMETERS ? "" : "\n");
}

static void to_hash(void *user, const char *line, size_t length)
{
    norn_sha256_add(user, line, length);
}

static void end_hash(norn_tuning *tuning, norn_sha256 *sha)
{
    unsigned char hash[NORN_SHA256_BYTES];
    char hex[NORN_SHA256_HEX];
    norn_sha256_end(sha, hash);
    (void)snprintf(tuning->hash, sizeof tuning->hash, "%.12s", norn_sha256_hex(hash, hex));
}

/* The hash of what would be written. */
static void seal(norn_tuning *tuning)
{
    norn_sha256 sha;
    norn_sha256_begin(&sha);
    spell(tuning, to_hash, &sha);
    end_hash(tuning, &sha);
}

/* ---- making one ------------------------------------------------------------------------------------------
 */

norn_status norn_tuning_new(norn_tuning **out, const norn_device_info *device, const norn_host *host,
                            norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    norn_tuning *tuning = norn_new(&services, 1, sizeof *tuning);
    if (!tuning) return norn_fail_memory(err, "a tuning");
    tuning->host = services;
    if (device) {
        (void)snprintf(tuning->platform, sizeof tuning->platform, "%s", device->platform_name);
        (void)snprintf(tuning->platform_version, sizeof tuning->platform_version, "%s",
                       device->platform_version);
        (void)snprintf(tuning->device, sizeof tuning->device, "%s", device->name);
        (void)snprintf(tuning->driver, sizeof tuning->driver, "%s", device->driver);
    }
    seal(tuning);
    *out = tuning;
    return NORN_OK;
}

void norn_tuning_free(norn_tuning *tuning)
{
    if (!tuning) return;
    const norn_host host = tuning->host;
    norn_delete(&host, tuning, 1, sizeof *tuning);
}

/* Is a before b? */
static bool before(const norn_tuning_rule *a, const norn_tuning_rule *b)
{
    return a->gates != b->gates ? a->gates < b->gates : a->hidden < b->hidden;
}

norn_status norn_tuning_add(norn_tuning *tuning, const norn_tuning_rule *rule, norn_error *err)
{
    const char *fault = norn_mapping_fault(&rule->mapping);
    if (*fault) return norn_fail(err, NORN_ERR_USAGE, "no such mapping: %s", fault);
    if (rule->gates < 1 || rule->gates > 64 || rule->hidden < 1 || rule->hidden > 65536)
        return norn_fail(err, NORN_ERR_USAGE, "a rule is for 1 to 64 gates and up to 1 to 65536 units");
    size_t at = 0;
    while (at < tuning->rule_count && before(&tuning->rules[at], rule)) at++;
    const bool there = at < tuning->rule_count && !before(rule, &tuning->rules[at]);
    if (!there) {
        if (tuning->rule_count == NORN_TUNING_RULES)
            return norn_fail(err, NORN_ERR_USAGE, "a tuning has %d rules at most", (int)NORN_TUNING_RULES);
        memmove(&tuning->rules[at + 1], &tuning->rules[at],
                (tuning->rule_count - at) * sizeof *tuning->rules);
        tuning->rule_count++;
    }
    tuning->rules[at] = *rule;
    seal(tuning);
    return NORN_OK;
}

norn_status norn_tuning_set_product(norn_tuning *tuning, const size_t values[NORN_TUNING_PARAMETERS],
                                    norn_error *err)
{
    for (size_t i = 0; values && i < NORN_TUNING_PARAMETERS; i++)
        if (values[i] > MOST_PARAMETER)
            return norn_fail(err, NORN_ERR_USAGE, "%s=%zu is beyond %d", parameters[i], values[i],
                             (int)MOST_PARAMETER);
    tuning->has_product = values != NULL;
    if (values) memcpy(tuning->product, values, sizeof tuning->product);
    seal(tuning);
    return NORN_OK;
}

const norn_tuning_rule *norn_tuning_rules(const norn_tuning *tuning, size_t *count)
{
    *count = tuning->rule_count;
    return tuning->rules;
}

const size_t *norn_tuning_product(const norn_tuning *tuning)
{
    return tuning && tuning->has_product ? tuning->product : NULL;
}

const norn_mapping *norn_tuning_find(const norn_tuning *tuning, unsigned gates, size_t hidden)
{
    for (size_t i = 0; tuning && i < tuning->rule_count; i++)
        if (tuning->rules[i].gates == gates && hidden <= tuning->rules[i].hidden)
            return &tuning->rules[i].mapping;
    return NULL;
}

int norn_tuning_fits(const norn_tuning *tuning, const norn_device_info *device)
{
    return strcmp(tuning->platform, device->platform_name) == 0 &&
           strcmp(tuning->platform_version, device->platform_version) == 0 &&
           strcmp(tuning->device, device->name) == 0 && strcmp(tuning->driver, device->driver) == 0;
}

const char *norn_tuning_file_name(const norn_device_info *device, char out[NORN_TUNING_NAME])
{
    enum { LETTERS = 40 };
    const char *const parts[] = {device->platform_name, device->platform_version, device->name,
                                 device->driver};
    norn_sha256 sha;
    unsigned char hash[NORN_SHA256_BYTES];
    char hex[NORN_SHA256_HEX];
    size_t length = 0;
    norn_sha256_begin(&sha);
    for (size_t i = 0; i < NORN_COUNT(parts); i++) norn_sha256_add(&sha, parts[i], strlen(parts[i]) + 1);
    norn_sha256_end(&sha, hash);
    for (const char *c = device->name; *c && length < LETTERS; c++) {
        const unsigned char byte = (unsigned char)*c;
        const bool plain = byte < 128 && isalnum(byte);
        if (plain)
            out[length++] = (char)tolower(byte);
        else if (length && out[length - 1] != '_')
            out[length++] = '_';
    }
    (void)snprintf(out + length, NORN_TUNING_NAME - length, "-%.8s.tuning", norn_sha256_hex(hash, hex));
    return out;
}

const char *norn_tuning_hash(const norn_tuning *tuning)
{
    return tuning->hash;
}

const char *norn_context_tuning(const norn_context *context)
{
    return context->tuning ? context->tuning->hash : "";
}

/* ---- writing ---------------------------------------------------------------------------------------------
 */

typedef struct growing {
    char *text; /* [NORN_TUNING_BYTES]: 64 rules of some 80 bytes are far below it */
    size_t length;
} growing;

static void to_text(void *user, const char *line, size_t length)
{
    growing *g = user;
    if (g->length + length >= NORN_TUNING_BYTES) return;
    memcpy(g->text + g->length, line, length);
    g->length += length;
}

norn_status norn_tuning_text(const norn_tuning *tuning, char **out, size_t *length, norn_error *err)
{
    growing g = {norn_new(&tuning->host, NORN_TUNING_BYTES, 1), 0};
    if (!g.text) return norn_fail_memory(err, "a tuning");
    spell(tuning, to_text, &g);
    *out = g.text;
    *length = g.length;
    return NORN_OK;
}

void norn_tuning_text_free(char *text, size_t length, const norn_host *host)
{
    (void)length;
    const norn_host services = norn_host_copy(host);
    norn_delete(&services, text, NORN_TUNING_BYTES, 1);
}

norn_status norn_tuning_write(const norn_tuning *tuning, const char *path, norn_error *err)
{
    char *text = NULL;
    size_t length = 0;
    norn_file *file = NULL;
    norn_status status = norn_tuning_text(tuning, &text, &length, err);
    if (status == NORN_OK) status = norn_file_create(&file, path, NULL, &tuning->host, err);
    if (status == NORN_OK) status = norn_file_write(file, text, length, err);
    if (status == NORN_OK) status = norn_file_finish(file, err);
    norn_file_free(file);
    norn_tuning_text_free(text, length, &tuning->host);
    return status;
}

/* ---- reading ---------------------------------------------------------------------------------------------
 */

typedef struct reader {
    norn_tuning *tuning;
    const char *name; /* of the file */
    const char *line; /* the one that is read, without its end */
    size_t length, at;
    uint64_t number;
    norn_error *err;
} reader;

static norn_status wrong(const reader *r, const char *format, ...) NORN_PRINTF(2, 3);
static norn_status wrong(const reader *r, const char *format, ...)
{
    char message[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return norn_fail_at(r->err, NORN_ERR_DATA, r->name, r->number, r->at + 1,
                        "%s (norn tune writes a new file; --tuning none goes without)", message);
}

static bool next_is(const reader *r, const char *text)
{
    const size_t length = strlen(text);
    return r->length - r->at >= length && memcmp(r->line + r->at, text, length) == 0;
}

static bool take(reader *r, const char *text)
{
    if (!next_is(r, text)) return false;
    r->at += strlen(text);
    return true;
}

/* What stands at the place, for a message. */
static const char *found(const reader *r, char out[64])
{
    if (r->at >= r->length) return "the end of the line";
    const size_t at = r->line[r->at] == ' ' && r->at + 1 < r->length ? r->at + 1 : r->at;
    size_t n = 0;
    out[0] = '"';
    while (at + n < r->length && r->line[at + n] != ' ') n++;
    (void)norn_quote(out + 1, 56, r->line + at, n ? n : 1, 24);
    const size_t end = strlen(out);
    out[end] = '"';
    out[end + 1] = '\0';
    return out;
}

/* " NAME=" and a whole number without leading zeros. */
static norn_status take_number(reader *r, const char *name, size_t least, size_t most, size_t *out)
{
    char want[32], what[64];
    (void)snprintf(want, sizeof want, " %s=", name);
    if (!take(r, want)) return wrong(r, "expected \"%s\", found %s", want, found(r, what));
    const size_t begin = r->at;
    size_t value = 0;
    while (r->at < r->length && r->line[r->at] >= '0' && r->line[r->at] <= '9' && value <= most)
        value = 10 * value + (size_t)(r->line[r->at++] - '0');
    const bool none = r->at == begin, zeros = r->at > begin + 1 && r->line[begin] == '0';
    if (!none && !zeros && value >= least && value <= most) {
        *out = value;
        return NORN_OK;
    }
    r->at = begin;
    return wrong(r, "%s: expected a number from %zu to %zu, found %s", name, least, most, found(r, what));
}

static norn_status read_rule(reader *r)
{
    static const char *const paths[] = {" path=sequence", " path=stage"};
    const struct {
        const char *name;
        size_t least, most;
    } numbers[] = {
        {"gates", 1, 64}, {"hidden", 1, 65536}, {"local", 1, 256}, {"vector", 1, 16}, {"rows", 1, 8}};
    size_t value[NORN_COUNT(numbers)];
    char what[64];
    for (size_t i = 0; i < NORN_COUNT(numbers); i++) {
        const norn_status status =
            take_number(r, numbers[i].name, numbers[i].least, numbers[i].most, &value[i]);
        if (status != NORN_OK) return status;
    }
    const bool stage = next_is(r, paths[1]);
    if (!take(r, paths[stage]))
        return wrong(r, "expected \"%s\" or \"%s\", found %s", paths[0], paths[1], found(r, what));
    if (r->at < r->length) return wrong(r, "expected the end of the line, found %s", found(r, what));
    const norn_tuning_rule rule = {
        (unsigned)value[0], value[1], {(unsigned)value[2], (unsigned)value[3], (unsigned)value[4], stage}};
    r->at = 0;
    const char *fault = norn_mapping_fault(&rule.mapping);
    if (*fault) return wrong(r, "no such mapping: %s", fault);
    const norn_tuning *t = r->tuning;
    for (size_t i = 0; i < t->rule_count; i++)
        if (t->rules[i].gates == rule.gates && t->rules[i].hidden == rule.hidden)
            return wrong(r, "a second rule for %u gates and %zu units", rule.gates, rule.hidden);
    if (t->rule_count == NORN_TUNING_RULES) return wrong(r, "more than %d rules", (int)NORN_TUNING_RULES);
    return norn_tuning_add(r->tuning, &rule, r->err);
}

static norn_status read_product(reader *r)
{
    char what[64];
    if (r->tuning->has_product) {
        r->at = 0;
        return wrong(r, "a second line of a product");
    }
    for (size_t i = 0; i < NORN_TUNING_PARAMETERS; i++) {
        const norn_status status = take_number(r, parameters[i], 0, MOST_PARAMETER, &r->tuning->product[i]);
        if (status != NORN_OK) return status;
    }
    if (r->at < r->length) return wrong(r, "expected the end of the line, found %s", found(r, what));
    r->tuning->has_product = true;
    return NORN_OK;
}

/* A line, in its order: 0 the format, 1 to 4 the device, then rules and a product. */
static norn_status read_line(reader *r, size_t *stage)
{
    norn_tuning *t = r->tuning;
    const struct {
        const char *key;
        char *to;
        size_t room;
    } names[] = {{"platform: ", t->platform, sizeof t->platform},
                 {"platform-version: ", t->platform_version, sizeof t->platform_version},
                 {"device: ", t->device, sizeof t->device},
                 {"driver: ", t->driver, sizeof t->driver}};
    char what[64];
    if (*stage == 0) {
        size_t format = 0;
        if (!next_is(r, "norn-tuning "))
            return wrong(r, "not a tuning: it does not begin with \"norn-tuning\"");
        r->at = strlen("norn-tuning");
        for (size_t i = r->at + 1; i < r->length && r->line[i] >= '0' && r->line[i] <= '9' && format < 100000;
             i++)
            format = 10 * format + (size_t)(r->line[i] - '0');
        r->at++;
        if (format > NORN_TUNING_FORMAT)
            return wrong(r, "of format %zu; this is norn " NORN_VERSION ", which knows %d", format,
                         (int)NORN_TUNING_FORMAT);
        if (format < 1 || r->at + 1 != r->length)
            return wrong(r, "expected the format, 1, found %s", found(r, what));
        ++*stage;
        return NORN_OK;
    }
    if (*stage <= NORN_COUNT(names)) {
        const size_t i = *stage - 1;
        if (!take(r, names[i].key))
            return wrong(r, "expected \"%s\", found %s", names[i].key, found(r, what));
        const size_t length = r->length - r->at;
        if (length == 0 || length >= names[i].room || memchr(r->line + r->at, '\0', length))
            return wrong(r, "expected a name of 1 to %zu bytes", names[i].room - 1);
        memcpy(names[i].to, r->line + r->at, length);
        names[i].to[length] = '\0';
        ++*stage;
        return NORN_OK;
    }
    if (take(r, "rule")) return read_rule(r);
    if (take(r, "product")) return read_product(r);
    return wrong(r, "expected a \"rule\" or a \"product\", found %s", found(r, what));
}

norn_status norn_tuning_parse(norn_tuning **out, const char *bytes, size_t length, const char *name,
                              const norn_host *host, norn_error *err)
{
    norn_tuning *tuning = NULL;
    norn_status status = norn_tuning_new(&tuning, NULL, host, err);
    if (status != NORN_OK) return status;
    reader r = {.tuning = tuning, .name = name, .err = err};
    size_t stage = 0;
    for (size_t at = 0; at < length && status == NORN_OK;) {
        const char *end = memchr(bytes + at, '\n', length - at);
        r.line = bytes + at;
        r.length = end ? (size_t)(end - r.line) : length - at;
        r.at = 0;
        r.number++;
        at += r.length + 1;
        if (r.length > LINE_ROOM)
            status = wrong(&r, "a line of more than %d bytes", (int)LINE_ROOM);
        else if (r.length && (r.line[0] != '#' || stage == 0))
            status = read_line(&r, &stage);
        else if (stage == 0)
            status = wrong(&r, "not a tuning: it does not begin with \"norn-tuning\"");
    }
    if (status == NORN_OK && stage < 5) {
        r.number++;
        r.at = 0;
        status = wrong(&r, stage ? "the file ends before it names its device" : "an empty file is no tuning");
    }
    if (status == NORN_OK) {
        norn_sha256 sha;
        norn_sha256_begin(&sha);
        norn_sha256_add(&sha, bytes, length);
        end_hash(tuning, &sha);
        *out = tuning;
    } else {
        norn_tuning_free(tuning);
    }
    return status;
}

norn_status norn_tuning_read(norn_tuning **out, const char *path, const norn_host *host, norn_error *err)
{
    const norn_host services = norn_host_copy(host);
    char *bytes = norn_new(&services, NORN_TUNING_BYTES, 1);
    if (!bytes) return norn_fail_memory(err, "a tuning");
    norn_status status = NORN_OK;
    size_t length = 0;
    FILE *file = fopen(path, "rb");
    if (!file) {
        status = norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot open: %s", strerror(errno));
    } else {
        length = fread(bytes, 1, NORN_TUNING_BYTES, file);
        if (ferror(file))
            status = norn_fail_at(err, NORN_ERR_INPUT, path, 0, 0, "cannot read: %s", strerror(errno));
        else if (length == NORN_TUNING_BYTES)
            status = norn_fail_at(err, NORN_ERR_DATA, path, 0, 0,
                                  "not a tuning: more than %d bytes (norn tune writes a new file; --tuning "
                                  "none goes without)",
                                  (int)NORN_TUNING_BYTES - 1);
        (void)fclose(file);
    }
    if (status == NORN_OK) status = norn_tuning_parse(out, bytes, length, path, &services, err);
    norn_delete(&services, bytes, NORN_TUNING_BYTES, 1);
    return status;
}
