/*
 * Reports: that the page is well formed and its policy names what is in it, that sentences say what the
 * figures say, that a backtest written and read again has the same figures, and that nothing a file says gets
 * out of its place. What a browser makes of a page is tried by report_browser.py. No OpenCL here.
 */
#include "backtest_support.h"

#include "base/sha256.h"
#include "counting_host.h"
#include "norn/report.h"
#include "report/report.h"

/* ---- pieces ---- */

static void hashes_are_those_of_the_standard(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t times;
        const char *hex;
    } cases[] = {
        {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_sha256 sha;
        unsigned char hash[NORN_SHA256_BYTES];
        char hex[NORN_SHA256_HEX];
        norn_sha256_begin(&sha);
        for (size_t n = 0; n < cases[i].times; n++)
            norn_sha256_add(&sha, cases[i].text, strlen(cases[i].text));
        norn_sha256_end(&sha, hash);
        assert_string_equal(norn_sha256_hex(hash, hex), cases[i].hex);
    }
    norn_sha256 sha;
    unsigned char hash[NORN_SHA256_BYTES];
    char base64[NORN_SHA256_BASE64];
    norn_sha256_begin(&sha);
    norn_sha256_end(&sha, hash);
    assert_string_equal(norn_sha256_base64(hash, base64), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

static void numbers_have_four_digits_and_no_sign_of_nothing(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.0, "0.0000"},   {-0.00001, "-1.000e-05"},   {0.44, "0.4400"},
                 {1.1277, "1.128"}, {29.782, "29.78"},          {886.96, "887.0"},
                 {2908.6, "2,909"}, {-1234567.0, "-1,234,567"}, {999999.6, "1,000,000"},
                 {NAN, "-"},        {1.5e12, "1.500e+12"},      {-INFINITY, "-"}};
    static const struct {
        double share;
        const char *text;
    } shares[] = {
        {0.185, "18.5 %"}, {-0.0001, "0.0 %"}, {-15.295, "-1529.5 %"}, {NAN, "-"}, {1e9, "1.000e+11 %"}};
    char text[NORN_NUMBER_ROOM];
    for (size_t i = 0; i < NORN_COUNT(cases); i++)
        assert_string_equal(norn_text_number(text, cases[i].value), cases[i].text);
    for (size_t i = 0; i < NORN_COUNT(shares); i++)
        assert_string_equal(norn_text_percent(text, shares[i].share), shares[i].text);
    assert_string_equal(norn_text_count(text, 10320), "10,320");
    assert_string_equal(norn_text_p(text, 0.0004), "p < 0.001");
    assert_string_equal(norn_text_p(text, 0.0342), "p = 0.034");
}

static void escapes_leave_no_markup(void **state)
{
    (void)state;
    norn_text text = norn_text_new(NULL);
    norn_text_html(&text, "<a href=\"x\" id='y'>&");
    assert_string_equal(text.bytes, "&lt;a href=&quot;x&quot; id=&#39;y&#39;&gt;&amp;");
    norn_text_free(&text);
    norn_text_markdown(&text, "| [a](b) *c* `d` <e> @f #1");
    assert_string_equal(text.bytes, "\\| \\[a\\]\\(b\\) \\*c\\* \\`d\\` &lt;e&gt; &#64;f \\#1");
    norn_text_free(&text);
    norn_text_shell(&text, "a.csv");
    norn_text_put(&text, " ");
    norn_text_shell(&text, "it's; rm -r *");
    norn_text_put(&text, " ");
    norn_text_shell(&text, "");
    assert_string_equal(text.bytes, "a.csv 'it'\\''s; rm -r *' ''");
    norn_text_free(&text);
}

/* ---- backtests to report on ---- */

/* A joint forecaster that is off by +-by, alternating, and by nothing where by is 0. */
static norn_status be_off_by(void *user, const norn_folds *folds, double *out, double seconds[2],
                             const norn_host *host, norn_error *err)
{
    const double by = *(const double *)user;
    const size_t k = folds->options.folds, h = folds->options.horizon;
    (void)host;
    (void)err;
    seconds[0] = seconds[1] = 0.5;
    for (size_t i = 0; i < folds->count; i++)
        for (size_t fold = 0; fold < k; fold++)
            for (size_t j = 0; j < h; j++) {
                const double y = norn_table_target(
                    folds->table, folds->series[i])[norn_folds_cutoff(folds, i, fold) + 1 + j];
                out[(i * k + fold) * h + j] = y + ((fold + j) % 2 ? by : -by) * (1.0 + 0.01 * (double)fold);
            }
    return NORN_OK;
}

static norn_backtest *backtest_of(norn_table **table, double off, size_t folds)
{
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = 4;
    options.folds = folds;
    options.season = 12;
    options.bootstrap = 50;
    static double by;
    by = off;
    const norn_joint joint = {"Mine", be_off_by, &by};
    *table = three_series();
    return must_backtest(*table, &options, &joint, 1);
}

static char *html_of(const norn_table *table, const norn_backtest *backtest, size_t *length)
{
    norn_report_options options = NORN_REPORT_OPTIONS_INIT;
    norn_error err = NORN_ERROR_INIT;
    char *out = NULL;
    options.source = "a <b> \"c\".csv";
    options.command = "norn backtest";
    assert_ok(norn_report_html(&out, length, table, backtest, &options, NULL, &err), &err);
    assert_int_equal(strlen(out), *length);
    return out;
}

/* ---- the page ---- */

static bool is_one_of(const char *name, size_t length, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == length && strncmp(*list, name, length) == 0) return true;
    return false;
}

/* Fails where elements do not nest, an attribute is not quoted, an id stands twice, or < or & stand bare. */
static void assert_well_formed(const char *page)
{
    static const char *const alone[] = {"meta", "br", "img", "link", "input", "hr", NULL};
    static const char *const raw[] = {"script", "style", NULL};
    enum { DEEP = 64, IDS = 64 };
    char open[DEEP][16], ids[IDS][64];
    size_t depth = 0, known = 0;
    assert_true(strncmp(page, "<!doctype html>", 15) == 0);
    for (const char *at = page + 15; *at;) {
        if (*at == '&') {
            const size_t length = strcspn(at, ";<");
            if (at[length] != ';' || length > 8) fail_msg("a bare &: %.30s", at);
        }
        if (*at != '<') {
            at++;
            continue;
        }
        const bool closing = at[1] == '/';
        const char *name = at + 1 + closing;
        const size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
        if (!length || length > 15) fail_msg("no element: %.30s", at);
        at = name + length;
        if (closing) {
            if (!depth || strlen(open[depth - 1]) != length || strncmp(open[depth - 1], name, length) != 0)
                fail_msg("%.20s closes %s", name, depth ? open[depth - 1] : "nothing");
            depth--;
            assert_int_equal(*at, '>');
            at++;
            continue;
        }
        while (*at == ' ') { /* attributes */
            at++;
            const size_t word = strcspn(at, "=> ");
            const char *const attribute = at;
            at += word;
            if (*at != '=') continue;
            if (at[1] != '"') fail_msg("an attribute without quotes: %.30s", attribute);
            const char *const value = at + 2, *const end = strchr(value, '"');
            assert_non_null(end);
            if (memchr(value, '<', (size_t)(end - value))) fail_msg("< in an attribute: %.60s", value);
            if (word == 2 && strncmp(attribute, "id", 2) == 0) {
                assert_true(known < IDS && end - value < 64);
                memcpy(ids[known], value, (size_t)(end - value));
                ids[known][end - value] = '\0';
                for (size_t i = 0; i < known; i++) assert_string_not_equal(ids[i], ids[known]);
                known++;
            }
            at = end + 1;
        }
        if (*at != '>') fail_msg("an element does not end: %.40s", name);
        at++;
        if (is_one_of(name, length, alone)) continue;
        assert_true(depth < DEEP);
        memcpy(open[depth], name, length);
        open[depth++][length] = '\0';
        if (is_one_of(name, length, raw)) {
            char end[20];
            (void)snprintf(end, sizeof end, "</%.*s>", (int)length, name);
            at = strstr(at, end);
            assert_non_null(at);
        }
    }
    assert_int_equal(depth, 0);
}

/* The text of the element that begins with `tag`, and where it ends. */
static const char *inside(const char *page, const char *tag, const char *end, size_t *length)
{
    const char *const from = strstr(page, tag);
    assert_non_null(from);
    const char *const text = from + strlen(tag), *const to = strstr(text, end);
    assert_non_null(to);
    *length = (size_t)(to - text);
    return text;
}

static void assert_policy_names(const char *page, const char *text, size_t length)
{
    norn_sha256 sha;
    unsigned char hash[NORN_SHA256_BYTES];
    char base64[NORN_SHA256_BASE64], source[80];
    size_t policy_length;
    const char *const policy =
        inside(page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"", &policy_length);
    norn_sha256_begin(&sha);
    norn_sha256_add(&sha, text, length);
    norn_sha256_end(&sha, hash);
    (void)snprintf(source, sizeof source, "'sha256-%s'", norn_sha256_base64(hash, base64));
    const char *const found = strstr(policy, source);
    if (!found || found > policy + policy_length) fail_msg("the policy does not name %.60s...", text);
}

static void page_is_well_formed_and_its_policy_names_what_is_in_it(void **state)
{
    (void)state;
    norn_table *table;
    norn_backtest *backtest = backtest_of(&table, 0.5, 8);
    size_t length, count = 0;
    char *page = html_of(table, backtest, &length);
    assert_well_formed(page);
    assert_non_null(strstr(page, "default-src 'none'"));
    static const char *const words[] = {"{{policy}}", "{{title}}", "{{style}}",
                                        "{{lead}}",   "{{data}}",  "{{script}}"};
    for (size_t i = 0; i < NORN_COUNT(words); i++) assert_null(strstr(page, words[i]));
    const char *text = inside(page, "<style>", "</style>", &count);
    assert_policy_names(page, text, count);
    size_t scripts = 0;
    for (const char *at = page; (at = strstr(at, "<script>")) != NULL; at += count, scripts++) {
        text = inside(at, "<script>", "</script>", &count);
        assert_policy_names(page, text, count);
    }
    assert_int_equal(scripts, 2);
    text = inside(page, "id=\"report-data\">", "</script>", &count);
    assert_null(memchr(text, '<', count));
    assert_null(memchr(text, '&', count));
    json_error_t wrong;
    json_t *data = json_loadb(text, count, JSON_REJECT_DUPLICATES, &wrong);
    if (!data) fail_msg("the data are no JSON: %s", wrong.text);
    assert_string_equal(json_string_value(json_object_get(data, "title")), "a <b> \"c\".csv");
    json_decref(data);
    norn_report_free(page, length, NULL);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void page_is_the_same_bytes_for_any_number_of_threads(void **state)
{
    (void)state;
    char *pages[2];
    size_t lengths[2];
    for (size_t i = 0; i < 2; i++) {
        norn_table *table = three_series();
        norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
        options.season = 12;
        options.models = "all";
        options.threads = i ? 2 : 1;
        options.bootstrap = 50;
        norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
        pages[i] = html_of(table, backtest, &lengths[i]);
        norn_backtest_free(backtest);
        norn_table_free(table);
    }
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(pages[0], pages[1], lengths[0]);
    for (size_t i = 0; i < 2; i++) norn_report_free(pages[i], lengths[i], NULL);
}

/* ---- sentences ---- */

static const char *sentence(const norn_findings *r, const char *topic)
{
    for (size_t i = 0; i < r->sentence_count; i++)
        if (strcmp(r->sentences[i].topic, topic) == 0) return r->sentences[i].text.bytes;
    return "";
}

static void find(norn_findings *r, const norn_table *table, const norn_backtest *backtest)
{
    norn_error err = NORN_ERROR_INIT;
    assert_ok(norn_report_find(r, table, backtest, NULL, NULL, &err), &err);
}

static void answer_is_yes_no_or_not_known_as_the_figures_are(void **state)
{
    (void)state;
    static const struct {
        double off;
        size_t folds;
        norn_answer answer;
        const char *headline;
    } cases[] = {{0.1, 8, NORN_ANSWER_YES, "Yes: Mine is better than "},
                 {0.1, 3, NORN_ANSWER_UNTESTED, "Perhaps: Mine did better than "},
                 {1e4, 8, NORN_ANSWER_NO, ""}};
    for (size_t i = 0; i < NORN_COUNT(cases); i++) {
        norn_table *table;
        norn_findings r;
        norn_backtest *backtest = backtest_of(&table, cases[i].off, cases[i].folds);
        find(&r, table, backtest);
        if (cases[i].answer != NORN_ANSWER_NO) {
            assert_int_equal(r.answer, cases[i].answer);
            assert_int_equal(r.best, model_called(backtest, "Mine"));
        } else {
            assert_int_not_equal(r.best, model_called(backtest, "Mine"));
        }
        if (strncmp(r.headline.bytes, cases[i].headline, strlen(cases[i].headline)) != 0)
            fail_msg("\"%s\"", r.headline.bytes);
        norn_report_end(&r);
        norn_backtest_free(backtest);
        norn_table_free(table);
    }
}

static void sentences_have_the_numbers_of_the_tables(void **state)
{
    (void)state;
    norn_table *table;
    norn_findings r;
    char text[200], n[3][NORN_NUMBER_ROOM];
    norn_backtest *backtest = backtest_of(&table, 0.5, 8);
    find(&r, table, backtest);
    const double own = norn_backtest_metric(backtest, r.best, NORN_SCOPE_ALL, 0, NORN_METRIC_MASE).value;
    const double other = norn_backtest_metric(backtest, r.beat, NORN_SCOPE_ALL, 0, NORN_METRIC_MASE).value;
    (void)snprintf(text, sizeof text, "Its MASE is %s, against %s: %s less", norn_text_number(n[0], own),
                   norn_text_number(n[1], other), norn_text_percent(n[2], 1.0 - own / other));
    assert_non_null(strstr(sentence(&r, "gain"), text));
    /* the one to beat is the best of the simple ones */
    for (size_t m = 0; m < r.models; m++)
        if (norn_report_simple(&r, m))
            assert_true(other <=
                        norn_backtest_metric(backtest, m, NORN_SCOPE_ALL, 0, NORN_METRIC_MASE).value);
    size_t wins = 0;
    for (size_t k = 0; k < 8; k++)
        wins += norn_backtest_metric(backtest, r.best, NORN_SCOPE_CUTOFF, k, NORN_METRIC_MASE).value <
                norn_backtest_metric(backtest, r.beat, NORN_SCOPE_CUTOFF, k, NORN_METRIC_MASE).value;
    (void)snprintf(text, sizeof text, "%zu of 8 cutoffs", wins);
    assert_non_null(strstr(sentence(&r, "wins"), text));
    const double last = norn_backtest_metric(backtest, r.best, NORN_SCOPE_STEP, 3, NORN_METRIC_MASE).value;
    (void)snprintf(text, sizeof text, "to %s at row 4", norn_text_number(n[0], last));
    assert_non_null(strstr(sentence(&r, "horizon"), text));
    double worst = 0.0;
    for (size_t k = 0; k < 8; k++) {
        const double e = norn_backtest_metric(backtest, r.best, NORN_SCOPE_CUTOFF, k, NORN_METRIC_MASE).value;
        if (e > worst) worst = e;
    }
    (void)snprintf(text, sizeof text, "(MASE %s).", norn_text_number(n[0], worst));
    assert_non_null(strstr(sentence(&r, "worst"), text));
    norn_report_end(&r);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

/* ---- files of other tools ---- */

typedef struct stream {
    const char *text;
    size_t length, taken, piece; /* at most so many bytes at once; 0: all */
} stream;

static size_t read_stream(void *user, void *buffer, size_t size)
{
    stream *const s = user;
    const size_t left = s->length - s->taken, most = s->piece && s->piece < size ? s->piece : size;
    const size_t now = left < most ? left : most;
    memcpy(buffer, s->text + s->taken, now);
    s->taken += now;
    return now;
}

static norn_status read_text(norn_backtest **out, norn_table **table, const char *text, size_t piece,
                             const norn_host *host, norn_error *err)
{
    stream s = {text, strlen(text), 0, piece};
    norn_saved_options options = NORN_SAVED_OPTIONS_INIT;
    options.season = 12;
    options.bootstrap = 50;
    return norn_backtest_read(out, table, read_stream, &s, "cv.csv", &options, host, err);
}

/* As norn writes it, every number to the last bit; lines from the last to the first where told. */
static norn_text text_of(const norn_table *table, const norn_backtest *backtest, bool backwards)
{
    const norn_backtest_options *o = norn_backtest_settings(backtest);
    const size_t models = norn_backtest_model_count(backtest), series = norn_table_series_count(table);
    norn_text out = norn_text_new(NULL);
    norn_text_put(&out, "unique_id,ds,cutoff");
    for (size_t m = 0; m < models; m++) norn_text_format(&out, ",%s", norn_backtest_model(backtest, m));
    norn_text_put(&out, ",y\n");
    const size_t lines = series * o->folds * o->horizon;
    for (size_t n = 0; n < lines; n++) {
        const size_t at = backwards ? lines - 1 - n : n;
        const size_t s = at / (o->folds * o->horizon), k = at / o->horizon % o->folds, j = at % o->horizon;
        if (!norn_backtest_includes(backtest, s)) continue;
        const size_t cutoff = norn_backtest_cutoff(backtest, s, k);
        const int64_t *times = norn_table_times(table, s);
        norn_text_format(&out, "%s,%lld,%lld", norn_table_id(table, s), (long long)times[cutoff + 1 + j],
                         (long long)times[cutoff]);
        for (size_t m = 0; m < models; m++)
            norn_text_format(&out, ",%.17g", norn_backtest_forecast(backtest, m, s, k)[j]);
        norn_text_format(&out, ",%.17g\n", norn_table_target(table, s)[cutoff + 1 + j]);
    }
    return out;
}

static void a_backtest_that_is_written_and_read_has_the_same_figures(void **state)
{
    (void)state;
    static const norn_metric same[] = {NORN_METRIC_MAE,  NORN_METRIC_RMSE, NORN_METRIC_SMAPE,
                                       NORN_METRIC_WAPE, NORN_METRIC_BIAS, NORN_METRIC_SKILL_NAIVE};
    static const size_t pieces[] = {0, 1, 7};
    norn_table *table, *read_table;
    norn_backtest *backtest = backtest_of(&table, 0.5, 8), *read_backtest;
    for (size_t turn = 0; turn < 3; turn++) {
        norn_error err = NORN_ERROR_INIT;
        norn_text text = text_of(table, backtest, turn == 1);
        assert_ok(read_text(&read_backtest, &read_table, text.bytes, pieces[turn], NULL, &err), &err);
        const size_t models = norn_backtest_model_count(backtest);
        assert_int_equal(norn_backtest_model_count(read_backtest), models);
        assert_int_equal(norn_backtest_settings(read_backtest)->folds, 8);
        assert_int_equal(norn_backtest_settings(read_backtest)->horizon, 4);
        assert_int_equal(norn_backtest_settings(read_backtest)->step, 4);
        assert_int_equal(norn_backtest_rows(read_backtest), norn_backtest_rows(backtest));
        for (size_t m = 0; m < models; m++) {
            assert_string_equal(norn_backtest_model(read_backtest, m), norn_backtest_model(backtest, m));
            for (size_t i = 0; i < NORN_COUNT(same); i++) {
                assert_near(norn_backtest_metric(read_backtest, m, NORN_SCOPE_ALL, 0, same[i]).value,
                            norn_backtest_metric(backtest, m, NORN_SCOPE_ALL, 0, same[i]).value, 1e-12, 0);
                for (size_t j = 0; j < 4; j++)
                    assert_near(norn_backtest_metric(read_backtest, m, NORN_SCOPE_STEP, j, same[i]).value,
                                norn_backtest_metric(backtest, m, NORN_SCOPE_STEP, j, same[i]).value, 1e-12,
                                0);
                for (size_t k = 0; k < 8; k++)
                    assert_near(norn_backtest_metric(read_backtest, m, NORN_SCOPE_CUTOFF, k, same[i]).value,
                                norn_backtest_metric(backtest, m, NORN_SCOPE_CUTOFF, k, same[i]).value, 1e-12,
                                0);
            }
        }
        norn_backtest_free(read_backtest);
        norn_table_free(read_table);
        norn_text_free(&text);
    }
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void bands_are_found_by_their_names_and_their_truths_are_counted(void **state)
{
    (void)state;
    static const char text[] =
        "unique_id,ds,cutoff,A,A-lo-80.0,A-hi-80.0,A-lo-95,A-hi-95,B-median,B-lo-90,B-hi-90,y\n"
        "s,2,1,5,4,6,3,7,1,0,2,5.5\n" /* in, in, out */
        "s,3,1,5,4,6,3,7,1,0,2,6.5\n" /* out, in, out */
        "s,4,1,5,4,6,3,7,8,7,9,8\n"   /* out, out, in */
        "s,5,1,5,4,6,3,7,8,,9,8\n";   /* out, out, none */
    norn_error err = NORN_ERROR_INIT;
    norn_backtest *backtest;
    norn_table *table;
    norn_findings r;
    size_t rows;
    assert_ok(read_text(&backtest, &table, text, 0, NULL, &err), &err);
    assert_int_equal(norn_backtest_model_count(backtest), 2);
    find(&r, table, backtest);
    const norn_saved *const saved = backtest->saved;
    assert_int_equal(saved->band_count, 3);
    assert_true(saved->bands[0].level == 95.0 && saved->bands[1].level == 80.0 && saved->bands[2].model == 1);
    assert_near(norn_report_held(&r, &saved->bands[0], &rows), 0.5, 0, 0);
    assert_near(norn_report_held(&r, &saved->bands[1], &rows), 0.25, 0, 0);
    assert_int_equal(rows, 4);
    assert_near(norn_report_held(&r, &saved->bands[2], &rows), 1.0 / 3.0, 1e-15, 0);
    assert_int_equal(rows, 3);
    norn_report_end(&r);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void series_that_lack_folds_or_rows_are_scored_on_what_there_is(void **state)
{
    (void)state;
    /* b has the second cutoff only, a lacks a row of the first and a truth of the second */
    static const char text[] = "unique_id,ds,cutoff,A,Naive,y\n"
                               "a,2,1,2,1,1\na,4,1,4,1,1\n"
                               "a,4,3,3,1,1\na,5,3,2,1,\na,6,3,2,1,1\n"
                               "b,4,3,2,1,1\nb,5,3,2,1,1\nb,6,3,2,1,1\n";
    norn_error err = NORN_ERROR_INIT;
    norn_backtest *backtest;
    norn_table *table;
    assert_ok(read_text(&backtest, &table, text, 0, NULL, &err), &err);
    assert_int_equal(norn_backtest_settings(backtest)->folds, 2);
    assert_int_equal(norn_backtest_rows(backtest), 7);
    assert_int_equal(norn_backtest_missing(backtest), 1);
    assert_true(norn_backtest_cutoff(backtest, 1, 0) == SIZE_MAX);
    assert_near(norn_backtest_metric(backtest, 0, NORN_SCOPE_ALL, 0, NORN_METRIC_MAE).value,
                (1 + 3 + 2 + 1 + 1 + 1 + 1) / 7.0, 1e-15, 0);
    assert_near(norn_backtest_metric(backtest, 0, NORN_SCOPE_CUTOFF, 0, NORN_METRIC_MAE).value, 2.0, 1e-15,
                0);
    size_t length;
    char *page = html_of(table, backtest, &length);
    assert_well_formed(page);
    norn_report_free(page, length, NULL);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void midnight_cutoffs_of_hourly_rows_are_those_rows(void **state)
{
    (void)state;
    /* pandas writes the column of cutoffs without a clock */
    static const char text[] = "unique_id,ds,cutoff,A,y\n"
                               "a,2020-01-01 23:00:00,2020-01-01,2,1\na,2020-01-02 00:00:00,2020-01-01,2,1\n"
                               "a,2020-01-02 01:00:00,2020-01-02,2,1\na,2020-01-02 02:00:00,2020-01-02,2,1\n";
    norn_error err = NORN_ERROR_INIT;
    norn_backtest *backtest;
    norn_table *table;
    assert_ok(read_text(&backtest, &table, text, 0, NULL, &err), &err);
    assert_int_equal(norn_backtest_settings(backtest)->horizon, 2);
    assert_int_equal(norn_backtest_settings(backtest)->step, 2);
    assert_int_equal(norn_backtest_cutoff(backtest, 0, 1), 2); /* the row of 2020-01-02 00:00 */
    norn_backtest_free(backtest);
    norn_table_free(table);
}

/* ---- hostile text, size, memory ---- */

static void names_are_text_whatever_they_say(void **state)
{
    (void)state;
    static const char text[] =
        "unique_id,ds,cutoff,</script><script>alert(1)</script>,\"\"\"><img src=x onerror=alert(2)>\",y\n"
        "<!--<script>,2,1,5,6,5\n<!--<script>,3,1,5,6,5\n\xe2\x80\xaehidden,2,1,5,6,5\n{{data}},2,1,7,6,5\n";
    norn_error err = NORN_ERROR_INIT;
    norn_backtest *backtest;
    norn_table *table;
    size_t length;
    assert_ok(read_text(&backtest, &table, text, 0, NULL, &err), &err);
    char *page = html_of(table, backtest, &length);
    assert_well_formed(page);
    assert_null(strstr(page, "<script>alert"));
    assert_null(strstr(page, "<img"));
    assert_null(strstr(page, "<!--"));
    assert_null(strstr(page, "\xe2\x80\xae"));
    assert_non_null(strstr(page, "\\u003c/script\\u003e\\u003cscript\\u003ealert(1)\\u003c/script\\u003e"));
    assert_non_null(strstr(page, "{{data}}")); /* put in, and not looked at again */
    norn_report_free(page, length, NULL);
    assert_ok(norn_report_markdown(&page, &length, table, backtest, NULL, NULL, &err), &err);
    assert_null(strchr(page, '<'));
    norn_report_free(page, length, NULL);
    norn_backtest_free(backtest);
    norn_table_free(table);
}

static void page_of_a_thousand_series_stays_small_and_says_what_is_left_out(void **state)
{
    (void)state;
    enum { SERIES = 1000, ROWS = 20 * 12 + 60, MOST_BYTES = 3000000 };
    double *values = malloc(sizeof(double) * SERIES * ROWS);
    const double **columns = malloc(sizeof *columns * SERIES);
    assert_true(values && columns);
    uint64_t seed = 3;
    for (size_t s = 0; s < SERIES; s++) {
        columns[s] = values + s * ROWS;
        for (size_t t = 0; t < ROWS; t++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            values[s * ROWS + t] = 100.0 + (double)(t % 12) * (double)(s % 7) + (double)(seed >> 40) / 1e5;
        }
    }
    norn_table *table = table_of(ROWS, SERIES, columns);
    norn_backtest_options options = NORN_BACKTEST_OPTIONS_INIT;
    options.horizon = options.season = 12;
    options.folds = 20;
    options.bootstrap = 0;
    norn_backtest *backtest = must_backtest(table, &options, NULL, 0);
    size_t length, count;
    char *page = html_of(table, backtest, &length);
    print_message("1,000 series by 20 folds: %zu bytes\n", length);
    assert_true(length < MOST_BYTES);
    const char *text = inside(page, "id=\"report-data\">", "</script>", &count);
    json_t *data = json_loadb(text, count, 0, NULL);
    json_t *carried = json_object_get(json_object_get(data, "carried"), "series");
    assert_int_equal(json_array_size(carried), 24);
    /* eight of each kind, the worst first, and the kinds in order of their errors */
    static const char *const standings[] = {"worst", "typical", "best"};
    double before = INFINITY;
    for (size_t i = 0; i < 24; i++) {
        json_t *each = json_array_get(carried, i);
        assert_string_equal(json_string_value(json_object_get(each, "standing")), standings[i / 8]);
        const double error = json_number_value(json_object_get(each, "error"));
        if (i % 8 == 0) {
            assert_true(error < before);
            before = error;
        }
    }
    assert_int_equal(json_array_size(json_object_get(json_object_get(data, "series"), "ids")), SERIES);
    json_decref(data);
    norn_report_free(page, length, NULL);
    norn_backtest_free(backtest);
    norn_table_free(table);
    free(values);
    free(columns);
}

static void every_failed_allocation_is_an_error_and_leaves_nothing(void **state)
{
    (void)state;
    static const char text[] = "unique_id,ds,cutoff,A,A-lo-90,A-hi-90,Naive,note,y\n"
                               "a,2,1,2,1,3,1,x,1\na,3,1,4,3,5,1,y,2\na,4,3,3,2,4,1,z,1\nb,4,3,2,1,3,1,,1\n";
    for (size_t fail_at = 1, done = 0; !done; fail_at++) {
        counting_host counter = {.fail_at = fail_at};
        const norn_host host = counting_host_of(&counter);
        norn_error err = NORN_ERROR_INIT;
        norn_backtest *backtest = NULL;
        norn_table *table = NULL;
        char *page = NULL;
        size_t length = 0;
        norn_status status = read_text(&backtest, &table, text, 0, &host, &err);
        if (status == NORN_OK) status = norn_report_html(&page, &length, table, backtest, NULL, &host, &err);
        norn_report_free(page, length, &host);
        page = NULL;
        if (status == NORN_OK)
            status = norn_report_markdown(&page, &length, table, backtest, NULL, &host, &err);
        norn_report_free(page, length, &host);
        norn_backtest_free(backtest);
        norn_table_free(table);
        assert_all_returned(&counter);
        if (status != NORN_OK) assert_int_equal(status, NORN_ERR_MEMORY);
        done = counter.asked < fail_at;
        if (done) assert_int_equal(status, NORN_OK);
        if (fail_at > 20000) fail_msg("no end of requests");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_standard),
        cmocka_unit_test(numbers_have_four_digits_and_no_sign_of_nothing),
        cmocka_unit_test(escapes_leave_no_markup),
        cmocka_unit_test(page_is_well_formed_and_its_policy_names_what_is_in_it),
        cmocka_unit_test(page_is_the_same_bytes_for_any_number_of_threads),
        cmocka_unit_test(answer_is_yes_no_or_not_known_as_the_figures_are),
        cmocka_unit_test(sentences_have_the_numbers_of_the_tables),
        cmocka_unit_test(a_backtest_that_is_written_and_read_has_the_same_figures),
        cmocka_unit_test(bands_are_found_by_their_names_and_their_truths_are_counted),
        cmocka_unit_test(series_that_lack_folds_or_rows_are_scored_on_what_there_is),
        cmocka_unit_test(midnight_cutoffs_of_hourly_rows_are_those_rows),
        cmocka_unit_test(names_are_text_whatever_they_say),
        cmocka_unit_test(page_of_a_thousand_series_stays_small_and_says_what_is_left_out),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
