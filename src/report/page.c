/*
 * The page: page.html with its style, its scripts and its data put in, one file that needs nothing else.
 *
 * Its policy lets it run and apply what has these hashes, and load or send nothing. The data stand in a
 * script element that is not run, with < > & written as \u escapes, so that nothing in them can end it; the
 * script puts them on the page as text and never as markup.
 */
#include "report/report.h"

#include "base/sha256.h"
#include "compute/kernels.h"

#include <stdlib.h>
#include <string.h>

extern const norn_kernel_text
    norn_report_texts[]; /* page.html, style.css, script.js, and those of dygraphs */

static const char *text_of(const char *name)
{
    for (const norn_kernel_text *text = norn_report_texts; text->name; text++)
        if (strcmp(text->name, name) == 0) return text->text;
    return "";
}

/* 'sha256-...' of a text, as a policy names it. */
static void put_hash(norn_text *out, const char *text)
{
    norn_sha256 sha;
    unsigned char hash[NORN_SHA256_BYTES];
    char base64[NORN_SHA256_BASE64];
    norn_sha256_begin(&sha);
    norn_sha256_add(&sha, text, strlen(text));
    norn_sha256_end(&sha, hash);
    norn_text_format(out, " 'sha256-%s'", norn_sha256_base64(hash, base64));
}

static void put_policy(norn_text *out)
{
    norn_text_put(out, "default-src 'none'; base-uri 'none'; form-action 'none'; script-src");
    put_hash(out, text_of("dygraph"));
    put_hash(out, text_of("script"));
    norn_text_put(out, "; style-src");
    put_hash(out, text_of("style"));
}

/* What is read where no script runs. */
static void put_lead(norn_text *out, const norn_findings *r)
{
    norn_text_put(out, "<p>");
    norn_text_html(out, r->headline.bytes ? r->headline.bytes : "");
    for (size_t i = 0; i < r->sentence_count; i++) {
        norn_text_put(out, " ");
        norn_text_html(out, r->sentences[i].text.bytes);
    }
    norn_text_put(out, "</p>");
}

static void put_title(norn_text *out, const norn_findings *r)
{
    char name[NORN_NAME_ROOM];
    const char *const title = r->options.title ? r->options.title : r->options.source;
    norn_text_html(out, title ? norn_text_name(name, title) : "A backtest");
}

static void put_data(norn_text *out, const char *json)
{
    for (const char *from = json; *from;) {
        const size_t plain = strcspn(from, "<>&");
        norn_text_add(out, from, plain);
        from += plain;
        if (*from) norn_text_format(out, "\\u%04x", (unsigned)*from++);
    }
}

/* One {{word}} of the template. */
static void put_word(norn_text *out, const norn_findings *r, const char *word, size_t length,
                     const char *json)
{
    static const struct {
        const char *word, *text;
    } files[] = {{"style", "style"}, {"dygraphs", "dygraph"}, {"script", "script"}};
    for (size_t i = 0; i < NORN_COUNT(files); i++)
        if (length == strlen(files[i].word) && strncmp(word, files[i].word, length) == 0)
            norn_text_put(out, text_of(files[i].text));
    if (length == 6 && strncmp(word, "policy", 6) == 0) put_policy(out);
    if (length == 5 && strncmp(word, "title", 5) == 0) put_title(out, r);
    if (length == 4 && strncmp(word, "lead", 4) == 0) put_lead(out, r);
    if (length == 4 && strncmp(word, "data", 4) == 0) put_data(out, json);
}

static void put_page(norn_text *out, const norn_findings *r, const char *json)
{
    for (const char *from = text_of("page"); *from;) {
        const char *const open = strstr(from, "{{"), *const close = open ? strstr(open, "}}") : NULL;
        if (!close) {
            norn_text_put(out, from);
            return;
        }
        norn_text_add(out, from, (size_t)(open - from));
        put_word(out, r, open + 2, (size_t)(close - open) - 2, json);
        from = close + 2;
    }
}

norn_status norn_report_hand_over(char **out, size_t *length, norn_text *text, norn_error *err)
{
    void *bytes = text->bytes;
    if (text->failed || !bytes || !norn_resize(&text->host, &bytes, text->capacity, text->length + 1, 1))
        return norn_fail_memory(err, "a report");
    *out = bytes;
    *length = text->length;
    text->bytes = NULL;
    text->capacity = 0;
    return NORN_OK;
}

norn_status norn_report_html(char **out, size_t *length, const norn_table *table,
                             const norn_backtest *backtest, const norn_report_options *options,
                             const norn_host *host, norn_error *err)
{
    norn_findings report;
    norn_status status = norn_report_find(&report, table, backtest, options, host, err);
    if (status != NORN_OK) return status;
    norn_text text = norn_text_new(&report.host);
    json_t *data = norn_report_data(&report, err);
    char *json = data ? json_dumps(data, JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(data);
    if (json) {
        put_page(&text, &report, json);
        status = norn_report_hand_over(out, length, &text, err);
    } else {
        status = norn_fail_memory(err, "the data of a report");
    }
    free(json);
    norn_text_free(&text);
    norn_report_end(&report);
    return status;
}

void norn_report_free(char *text, size_t length, const norn_host *host)
{
    const norn_host services = norn_host_copy(host);
    norn_delete(&services, text, text ? length + 1 : 0, 1);
}
