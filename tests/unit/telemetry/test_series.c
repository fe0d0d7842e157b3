/* SPDX-License-Identifier: Apache-2.0 */
/* Identity of series, matching of rules, numbers as text. */
#include "telemetry/pipeline/series.h"

#include <math.h>

#include "codec/scan.h"
#include "support/check_main.h"
#include "telemetry/event/hash.h"
#include "telemetry/event/match.h"
#include "telemetry/event/number.h"

#define V(text) HF_VIEW(text)

static const struct {
    const char *glob, *text;
    bool want;
} globs[] = {
    {"", "", true},
    {"*", "", true},
    {"*", "abc", true},
    {"", "a", false},
    {"?", "", false},
    {"?", "a", true},
    {"a*", "abc", true},
    {"*c", "abc", true},
    {"*b*", "abc", true},
    {"a*c", "abc", true},
    {"a*d", "abc", false},
    {"a?c", "abc", true},
    {"a?c", "ac", false},
    {"**", "x", true},
    {"a**b", "ab", true},
    {"*ab", "aab", true},
    {"*aab", "aaaab", true},
    {"a*b*c", "axbxxc", true},
    {"abc", "abcd", false},
    {"abcd", "abc", false},
    {"j:*.service", "j:a.service", true},
    {"[0-9][0-9]-*", "20-x", true},
    {"[0-9][0-9]-*", "2x-x", false},
    {"[! ]*", "at", true},
    {"[! ]*", " at", false},
    {"[! ]*", "", false},
    {"*[a-cx]", "zzx", true},
    {"*[a-cx]", "zzd", false},
    {"*[ab][cd]", "abacbd", true},
    {"[]x]", "]", true},
    {"[!]x]", "]", false},
    {"[a-]", "-", true},
    {"[a", "[a", true},
    {"[", "[", true},
    {"[!", "[!", true},
    {"[]", "[]", true},
    {"[\xe0-\xff]?", "\xc3\xa4", false},
    {"[\xc0-\xdf]?", "\xc3\xa4", true},
    {"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false},
};

START_TEST(matches_globs)
{
    ck_assert_msg(hf_match_glob(globs[_i].glob, hf_view_of(globs[_i].text)) == globs[_i].want, "%s %s", globs[_i].glob,
                  globs[_i].text);
}
END_TEST

START_TEST(matches_attributes)
{
    _cleanup_(hf_json_freep) json_t *wanted = json_pack("{s:s, s:s}", "a", "1", "b", "");
    const struct hf_event_match match = {.attributes = wanted};
    struct hf_event event = {.attributes = {{V("b"), V("")}, {V("a"), V("1")}, {V("c"), V("2")}}, .n_attributes = 3};

    ck_assert(hf_match(&match, &event));
    event.attributes[1].value = V("2");
    ck_assert(!hf_match(&match, &event));
    event.n_attributes = 1;
    ck_assert(!hf_match(&match, &event));
}
END_TEST

/* ---- a table beside a slow one ----------------------------------------------------------------------------------- */

enum { NAMES = 300 };
static uint64_t seed = 3;

static uint64_t below(uint64_t bound)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % bound;
}

static void make(struct hf_event *event, size_t name, char text[32])
{
    *event = (struct hf_event){
        .kind = HF_EVENT_METRIC,
        .source_class = HF_SOURCE_NODE,
        .source = V("node"),
        .value_kind = HF_VALUE_GAUGE,
        .attributes = {{V("n"), {text, (size_t)snprintf(text, 32, "%zu", name / 3)}}, {V("k"), V("v")}},
        .n_attributes = name % 2 + 1};
    event->boundary = name % 3 == 0 ? V("eu") : V("");
    event->name = name % 3 == 1 ? V("a") : V("b");
}

START_TEST(agrees_with_a_slow_table)
{
    static struct hf_series *known[NAMES];
    struct hf_series_table table;
    struct hf_event event, again;
    char text[32];
    bool is_new;

    hf_series_table_init(&table, 200);
    for (int i = 0; i < 50000; i++) {
        size_t name = below(NAMES);
        make(&event, name, text);
        struct hf_series *series = hf_series_get(&table, &event, event.name, &is_new);
        if (known[name] != NULL) {
            ck_assert(series == known[name] && !is_new);
        } else if (series == NULL) {
            ck_assert(table.n == table.max && !is_new);
        } else {
            ck_assert(is_new);
            known[name] = series;
            hf_series_event(series, &again);
            ck_assert(again.n_attributes == event.n_attributes && hf_view_eq(again.attributes[0].value, text));
            ck_assert(hf_view_eq(again.source, "node") && again.boundary.n == event.boundary.n &&
                      again.name.p[0] == event.name.p[0]);
            ck_assert(again.source_class == HF_SOURCE_NODE && again.value_kind == HF_VALUE_GAUGE);
        }
        if (below(3) == 0 && table.n > 0) {
            size_t index = below(table.n);
            for (size_t k = 0; k < NAMES; k++)
                if (known[k] == table.all[index])
                    known[k] = NULL;
            hf_series_remove(&table, index);
        }
    }
    hf_series_table_done(&table);
}
END_TEST

/* What is posted fills half of the table, and one sender not all of that; an equal name of another owner is another
 * series. */
START_TEST(posts_leave_room_for_the_node)
{
    struct hf_event event = {.kind = HF_EVENT_METRIC, .source_class = HF_SOURCE_HTTP, .source = V("http:a")};
    struct hf_event other = event, own = event;
    struct hf_series_table table;
    char name[32];
    bool is_new;

    event.peer_uid = V("1000");
    other.peer_uid = V("1001");
    own.source_class = HF_SOURCE_NODE;
    hf_series_table_init(&table, 200);
    const struct hf_series *mine = hf_series_get(&table, &event, V("m0"), &is_new);
    ck_assert(mine != NULL && mine != hf_series_get(&table, &other, V("m0"), &is_new) && is_new);
    for (int i = 1; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i);
        (void)hf_series_get(&table, &event, hf_view_of(name), &is_new);
    }
    ck_assert_uint_eq(table.n, 1 + 75);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "n%d", i);
        (void)hf_series_get(&table, &other, hf_view_of(name), &is_new);
    }
    ck_assert_uint_eq(table.n, 94); /* 19 of the other one */
    for (unsigned uid = 2000; uid < 3000; uid++) {
        struct hf_event one = event;
        (void)snprintf(name, sizeof(name), "%u", uid);
        one.peer_uid = hf_view_of(name);
        (void)hf_series_get(&table, &one, V("m"), &is_new);
    }
    ck_assert_uint_eq(table.n, 100);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i);
        ck_assert_ptr_nonnull(hf_series_get(&table, &own, hf_view_of(name), &is_new));
    }
    while (table.n > 0)
        hf_series_remove(&table, 0);
    ck_assert_uint_eq(table.n_posted, 0);
    ck_assert_uint_eq(table.posted_bytes, 0);
    for (size_t i = 0; i < HF_SERIES_SENDERS; i++)
        ck_assert(table.senders[i].n == 0 && table.senders[i].bytes == 0);
    hf_series_table_done(&table);
}
END_TEST

START_TEST(refuses_long_identities)
{
    static char wide[20000];
    const struct hf_event event = {.source = {wide, sizeof(wide)}};
    struct hf_series_table table;
    bool is_new;

    hf_series_table_init(&table, 10);
    ck_assert_ptr_null(hf_series_get(&table, &event, V("a"), &is_new));
    ck_assert(!is_new && table.n == 0);
    hf_series_table_done(&table);
}
END_TEST

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

START_TEST(is_full_by_bytes)
{
    static struct hf_event event;
    struct hf_series_table table;
    char name[32];
    bool is_new;

    hf_series_table_init(&table, 1000000);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "m%u", i);
        struct hf_series *series = hf_series_get(&table, &event, hf_view_of(name), &is_new);
        if (series == NULL)
            break;
        hf_series_charge(&table, series, 1 << 20);
    }
    ck_assert_uint_eq(table.n, 32); /* of 1 MiB each */
    ck_assert(!is_new);
    /* What is there is found; one that goes makes room for one. */
    ck_assert_ptr_nonnull(hf_series_get(&table, &event, hf_view_of("m0"), &is_new));
    hf_series_remove(&table, 0);
    ck_assert_ptr_nonnull(hf_series_get(&table, &event, hf_view_of("other"), &is_new));
    while (table.n > 0)
        hf_series_remove(&table, table.n - 1);
    ck_assert_uint_eq(table.bytes, 0);
    hf_series_table_done(&table);
}
END_TEST

START_TEST(numbers_come_back)
{
    char text[HF_NUMBER_TEXT];

    for (int i = 0; i < 200000; i++) {
        union {
            uint64_t bits;
            double value;
        } u = {.bits = below(1ull << 32) << 32 | below(1ull << 32)};
        double values[] = {u.value, (double)below(1000000) / 1000, (double)(int64_t)(u.bits >> below(60)),
                           ldexp((double)below(1000), (int)below(40) - 20)};
        for (size_t k = 0; k < HF_LEN(values); k++) {
            if (!isfinite(values[k]))
                continue;
            size_t n = hf_number_double(values[k], text);
            struct hf_view number;
            struct hf_scan scan;
            hf_scan_init(&scan, (struct hf_view){text, n});
            ck_assert(n < HF_NUMBER_TEXT && hf_scan_raw(&scan, &number) == 0 && hf_scan_end(&scan) == 0);
            text[n] = '\0';
            ck_assert_msg(strtod(text, NULL) == values[k] && hf_scan_double(number) == values[k], "%.17g: %s",
                          values[k], text);
        }
    }
}
END_TEST

static int by_value(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

START_TEST(hashes_differ)
{
    static uint64_t hashes[100000];
    char text[16];

    for (size_t i = 0; i < HF_LEN(hashes); i++)
        hashes[i] = hf_hash64(text, (size_t)snprintf(text, sizeof(text), "%zu", i), 0);
    qsort(hashes, HF_LEN(hashes), sizeof(hashes[0]), by_value);
    for (size_t i = 1; i < HF_LEN(hashes); i++)
        ck_assert(hashes[i] != hashes[i - 1]);
    ck_assert(hf_hash64("", 0, 0) != hf_hash64("\0", 1, 0));
    ck_assert(hf_hash64("abcdefgh", 8, 0) != hf_hash64("abcdefgh", 8, 1));
    /* the same on every machine, so samples are too */
    ck_assert_uint_eq(hf_hash64("edge-node-42/event", 18, 7), 10723800354719392279ull);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, matches_globs, 0, (int)HF_LEN(globs));
    tcase_add_test(tc, matches_attributes);
    tcase_add_test(tc, agrees_with_a_slow_table);
    tcase_add_test(tc, posts_leave_room_for_the_node);
    tcase_add_test(tc, refuses_long_identities);
    tcase_add_test(tc, is_full_by_bytes);
    tcase_add_test(tc, numbers_come_back);
    tcase_add_test(tc, hashes_differ);
}
HF_TEST_MAIN("telemetry/series", cases)
