/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of delivery: class of an answer, rounds of attempts, breaker, pace, borders as bytes and under power cuts,
 * table of batches. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/rand_posix.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "telemetry/delivery/aimd.h"
#include "telemetry/delivery/batch.h"
#include "telemetry/delivery/breaker.h"

#define S HF_NS_PER_S
#define MS HF_NS_PER_MS

/* ---- answers ----------------------------------------------------------------------------------------------------- */

static const struct {
    int r, status;
    const char *type, *cause;
    enum hf_retry_verdict verdict;
    const char *reason;
} answers[] = {
    {0, 200, "", "", HF_RETRY_DELIVERED, ""},
    {0, 204, "", "", HF_RETRY_DELIVERED, ""},
    {0, 202, "text/plain", "", HF_RETRY_DELIVERED, ""},
    {0, 200, "Text/HTML; charset=x", "", HF_RETRY_SETUP, "content_type"},
    {0, 200, "application/x-protobuf", "", HF_RETRY_DELIVERED, ""},
    {0, 200, "application/json", "", HF_RETRY_DELIVERED, ""},
    {0, 200, "text/plain", "", HF_RETRY_DELIVERED, ""},
    {0, 301, "", "", HF_RETRY_SETUP, "http_301"},
    {0, 400, "", "", HF_RETRY_REFUSED, "http_400"},
    {0, 401, "", "", HF_RETRY_SETUP, "http_401"},
    {0, 403, "", "", HF_RETRY_SETUP, "http_403"},
    {0, 404, "", "", HF_RETRY_SETUP, "http_404"},
    {0, 407, "", "", HF_RETRY_SETUP, "http_407"},
    {0, 408, "", "", HF_RETRY_AGAIN, "http_408"},
    {0, 409, "", "", HF_RETRY_REFUSED, "http_409"},
    {0, 413, "", "", HF_RETRY_TOO_LARGE, "http_413"},
    {0, 415, "", "", HF_RETRY_REFUSED, "http_415"},
    {0, 422, "", "", HF_RETRY_REFUSED, "http_422"},
    {0, 425, "", "", HF_RETRY_AGAIN, "http_425"},
    {0, 429, "", "", HF_RETRY_AGAIN, "http_429"},
    {0, 500, "", "", HF_RETRY_AGAIN, "http_500"},
    {0, 503, "text/html", "", HF_RETRY_AGAIN, "http_503"},
    {0, 511, "", "", HF_RETRY_SETUP, "http_511"},
    {0, 100, "", "", HF_RETRY_AGAIN, "http_100"},
    {0, 999, "", "", HF_RETRY_AGAIN, "http_999"},
    {-ECONNREFUSED, 0, "", "", HF_RETRY_AGAIN, "refused"},
    {-EHOSTUNREACH, 0, "", "Could not resolve host: x", HF_RETRY_AGAIN, "dns"},
    {-EHOSTUNREACH, 0, "", "No route to host", HF_RETRY_AGAIN, "unreachable"},
    {-ETIMEDOUT, 0, "", "", HF_RETRY_AGAIN, "timeout"},
    {-ETIMEDOUT, 0, "", "Connection timed out after 10001 milliseconds", HF_RETRY_AGAIN, "connect_timeout"},
    {-EKEYREJECTED, 0, "", "", HF_RETRY_AGAIN, "tls"},
    {-EPIPE, 0, "", "", HF_RETRY_AGAIN, "cut"},
    {-E2BIG, 200, "", "", HF_RETRY_AGAIN, "answer_too_large"},
    {-EXDEV, 0, "", "", HF_RETRY_AGAIN, "network"},
};

START_TEST(answers_mean_what_they_should)
{
    struct hf_http_response response = {.status = answers[_i].status};
    struct hf_err err = HF_ERR_INIT;

    (void)snprintf(response.content_type, sizeof(response.content_type), "%s", answers[_i].type);
    (void)hf_err_set(&err, EIO, "%s", answers[_i].cause);
    struct hf_retry_judgement got = hf_retry_judge(answers[_i].r, &response, &err);
    ck_assert_msg(got.verdict == answers[_i].verdict && strcmp(got.reason, answers[_i].reason) == 0, "%d %d: %d %s",
                  answers[_i].r, answers[_i].status, (int)got.verdict, got.reason);
    /* The sink's address or our credentials are wrong: no batch is at fault. */
    ck_assert(got.verdict != HF_RETRY_SETUP || (!got.server_error && !got.maybe_content));
}
END_TEST

/* ---- rounds ------------------------------------------------------------------------------------------------------ */

START_TEST(series_end_by_attempts_and_by_time)
{
    struct hf_retry_rules rules = {.max_attempts = 3, .base_ns = 2 * S, .max_duration_ns = 300 * S};
    const struct hf_rand_ops *rng = hf_rand_posix();
    bool deferred;

    for (unsigned run = 0; run < 200; run++) {
        struct hf_retry_round retry = {.attempts = 0};
        uint64_t now = 1000 * S, wait = hf_retry_round_fail(&retry, &rules, rng, now, 0, &deferred);
        ck_assert_msg(!deferred && wait <= 2 * S && wait >= S / 2, "run %u: %lu %d", run, (unsigned long)wait,
                      (int)deferred);
        now += wait;
        wait = hf_retry_round_fail(&retry, &rules, rng, now, 0, &deferred);
        ck_assert(!deferred && wait <= 4 * S);
        now += wait;
        wait = hf_retry_round_fail(&retry, &rules, rng, now, 0, &deferred);
        ck_assert_msg(deferred && wait <= 30 * S && wait >= 7 * S, "run %u: %lu %d", run, (unsigned long)wait,
                      (int)deferred);
        ck_assert_uint_eq(retry.attempts, 0);
        for (unsigned i = 0; i < 60; i++) { /* an hour at most, after any number of deferrals */
            now += wait;
            wait = hf_retry_round_fail(&retry, &rules, rng, now, 0, &deferred);
            ck_assert_uint_le(wait, 3600 * S);
        }
        retry = (struct hf_retry_round){.attempts = 0};
        wait = hf_retry_round_fail(&retry, &rules, rng, now, 90 * S, &deferred);
        ck_assert(wait >= 90 * S && wait <= 100 * S && !deferred); /* Retry-After of the sink */
        retry = (struct hf_retry_round){.attempts = 0};
        wait = hf_retry_round_fail(&retry, &rules, rng, now, 400 * S, &deferred);
        ck_assert(wait >= 400 * S && deferred);
        wait = hf_retry_round_fail(&retry, &rules, rng, now, HF_NEVER / 2, &deferred);
        ck_assert(wait <= 3960 * S); /* a sink can silence the node for a limited time only */
    }
    rules = (struct hf_retry_rules){.max_attempts = 100, .base_ns = 60 * S, .max_duration_ns = 300 * S};
    struct hf_retry_round retry = {.attempts = 0};
    uint64_t now = S, began = now;
    deferred = false;
    while (!deferred)
        now += hf_retry_round_fail(&retry, &rules, rng, now, 0, &deferred);
    ck_assert_uint_le(now - began, 300 * S + 3600 * S);
}
END_TEST

START_TEST(the_seeds_rule_is_linear)
{
    struct hf_retry_rules rules = {.max_attempts = 4, .base_ns = 500 * MS, .max_duration_ns = 300 * S, .linear = true};
    struct hf_retry_round retry = {.attempts = 0};
    bool deferred;

    for (unsigned i = 1; i < 4; i++) {
        ck_assert_uint_eq(hf_retry_round_fail(&retry, &rules, hf_rand_posix(), i * S, 0, &deferred), i * 500 * MS);
        ck_assert(!deferred);
    }
    (void)hf_retry_round_fail(&retry, &rules, hf_rand_posix(), 9 * S, 0, &deferred);
    ck_assert(deferred);
}
END_TEST

/* ---- breaker ----------------------------------------------------------------------------------------------------- */

START_TEST(breaker_opens_probes_closes)
{
    const struct hf_rand_ops *rng = hf_rand_posix();
    struct hf_breaker_state breaker;
    uint64_t now = 100 * S;

    hf_breaker_init(&breaker, 2 * S, 300 * S);
    for (unsigned i = 0; i < HF_BREAKER_FAILURES; i++) {
        ck_assert(hf_breaker_admits(&breaker, now));
        hf_breaker_started(&breaker);
        hf_breaker_ended(&breaker, false, rng, now, 0);
    }
    ck_assert_int_eq(breaker.state, HF_BREAKER_OPEN);
    for (unsigned round = 0; round < 20; round++) {
        uint64_t until = hf_breaker_wait_until_ns(&breaker);
        ck_assert(until > now && until <= now + 300 * S);
        ck_assert(!hf_breaker_admits(&breaker, until - 1));
        now = until;
        ck_assert(hf_breaker_admits(&breaker, now));
        ck_assert_int_eq(breaker.state, HF_BREAKER_HALF_OPEN);
        hf_breaker_started(&breaker);
        ck_assert(!hf_breaker_admits(&breaker, now)); /* one probe */
        ck_assert_uint_eq(hf_breaker_wait_until_ns(&breaker), HF_NEVER);
        hf_breaker_ended(&breaker, false, rng, now, 0);
        ck_assert_int_eq(breaker.state, HF_BREAKER_OPEN);
    }
    now = hf_breaker_wait_until_ns(&breaker);
    ck_assert(hf_breaker_admits(&breaker, now));
    hf_breaker_started(&breaker);
    hf_breaker_ended(&breaker, true, rng, now, 0);
    ck_assert_int_eq(breaker.state, HF_BREAKER_CLOSED);
    hf_breaker_ended(&breaker, false, rng, now, 0);
    hf_breaker_ended(&breaker, true, rng, now, 0); /* a success starts the count again */
    for (unsigned i = 1; i < HF_BREAKER_FAILURES; i++)
        hf_breaker_ended(&breaker, false, rng, now, 0);
    ck_assert_int_eq(breaker.state, HF_BREAKER_CLOSED);
    hf_breaker_ended(&breaker, false, rng, now, 1000 * S);
    ck_assert_uint_ge(hf_breaker_wait_until_ns(&breaker), now + 1000 * S);
}
END_TEST

/* ---- pace -------------------------------------------------------------------------------------------------------- */

START_TEST(pace_follows_latency)
{
    struct hf_aimd pace;
    uint64_t now = S;

    hf_aimd_init(&pace, 0);
    ck_assert_uint_eq(hf_aimd_concurrency(&pace), 1);
    for (unsigned i = 0; i < 100; i++, now += 20 * MS)
        hf_aimd_answered(&pace, now, 20 * MS, true);
    ck_assert_uint_eq(hf_aimd_concurrency(&pace), HF_AIMD_MAX);
    hf_aimd_answered(&pace, now, 500 * MS, true); /* slow: halves once for all requests that began before */
    hf_aimd_answered(&pace, now + MS, 500 * MS, true);
    hf_aimd_answered(&pace, now + 2 * MS, 500 * MS, true);
    ck_assert_uint_eq(hf_aimd_concurrency(&pace), HF_AIMD_MAX / 2);
    for (unsigned i = 0; i < 10; i++, now += 2 * S)
        hf_aimd_answered(&pace, now, S, false);
    ck_assert_uint_eq(hf_aimd_concurrency(&pace), 1);
    for (unsigned i = 0; i < 300; i++, now += S) /* after some time, slow answers are the usual ones */
        hf_aimd_answered(&pace, now, 600 * MS, true);
    ck_assert_uint_eq(hf_aimd_concurrency(&pace), HF_AIMD_MAX);
}
END_TEST

START_TEST(pace_keeps_a_bandwidth)
{
    struct hf_aimd pace;
    uint64_t now = 10 * S, sent = 0;

    hf_aimd_init(&pace, 1000);
    while (now < 110 * S) {
        now = HF_MAX(now, hf_aimd_wait_until_ns(&pace));
        hf_aimd_spend(&pace, 700, now);
        sent += 700;
        now += MS;
    }
    ck_assert_uint_le(sent, 100 * 1000 + 1000 + 2 * 700);
    ck_assert_uint_ge(sent, 98 * 1000);
    hf_aimd_init(&pace, 0);
    hf_aimd_spend(&pace, 1 << 30, now);
    ck_assert_uint_eq(hf_aimd_wait_until_ns(&pace), 0);
}
END_TEST

/* ---- borders ----------------------------------------------------------------------------------------------------- */

#define STREAM "000102030405060708090a0b0c0d0e0f"

static struct hf_borders borders_of(unsigned n, uint64_t base)
{
    struct hf_borders borders = {.stream = STREAM, .n = n};

    for (unsigned i = 0; i < n; i++)
        borders.items[i] = (struct hf_border){.first = base + i * 10, .last = base + i * 10 + 7, .done = i % 3 == 1};
    return borders;
}

static bool same(const struct hf_borders *a, const struct hf_borders *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++)
        if (a->items[i].first != b->items[i].first || a->items[i].last != b->items[i].last ||
            a->items[i].done != b->items[i].done)
            return false;
    return a->n == b->n && (a->n == 0 || strcmp(a->stream, b->stream) == 0);
}

START_TEST(borders_as_bytes)
{
    unsigned char slot[HF_BORDER_SLOT];
    struct hf_borders borders, back;
    uint64_t counter;

    for (unsigned n = 0; n <= HF_BORDER_MAX; n++) {
        borders = borders_of(n, 1);
        hf_borders_format(&borders, 5 + n, slot);
        ck_assert_int_eq(hf_borders_parse(slot, &back, &counter), 0);
        ck_assert_uint_eq(counter, 5 + n);
        ck_assert(same(&borders, &back));
        for (size_t i = 0; i < sizeof(slot); i++) { /* the checksum detects any wrong byte */
            slot[i] ^= 0x20;
            ck_assert_int_eq(hf_borders_parse(slot, &back, &counter), -EBADMSG);
            slot[i] ^= 0x20;
        }
    }
    borders = borders_of(2, 1);
    borders.items[1].first = 5; /* overlaps */
    hf_borders_format(&borders, 1, slot);
    ck_assert_int_eq(hf_borders_parse(slot, &back, &counter), -EBADMSG);
}
END_TEST

/* A file of the version without os/two_slots: counter 3 in slot 0, counter 2 in slot 1. */
static const struct {
    size_t at, n;
    const char *bytes;
} old_borders[] = {
    {0, 48,
     "\x48\x46\x42\x31\x01\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb"
     "\xcc\xdd\xee\xff\x2c\x01\x00\x00\x00\x00\x00\x00\x33\x01\x00\x00\x00\x00\x00\x00"},
    {508, 4, "\x22\xf8\x38\xf6"},
    {4096, 64,
     "\x48\x46\x42\x31\x02\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb"
     "\xcc\xdd\xee\xff\xc8\x00\x00\x00\x00\x00\x00\x00\xcf\x00\x00\x00\x00\x00\x00\x00\xd2\x00\x00\x00\x00\x00\x00\x00"
     "\xd9\x00\x00\x00\x00\x00\x00\x00"},
    {4576, 4, "\x02\x00\x00\x00"},
    {4604, 4, "\xfb\x1e\x64\xc1"},
};

START_TEST(borders_of_older_code_are_read_and_continued)
{
    unsigned char file[8192] = {0}, slot[HF_BORDER_SLOT];
    struct hf_border_file opened;
    struct hf_borders back;
    size_t n;
    struct hf_simfs *fs = hf_simfs_new();

    for (size_t i = 0; i < HF_LEN(old_borders); i++)
        memcpy(file + old_borders[i].at, old_borders[i].bytes, old_borders[i].n);
    hf_simfs_put(fs, "/borders", file, sizeof(file), 0600);
    ck_assert_int_eq(hf_border_file_open(hf_simfs_ops(fs), "/borders", true, &opened, &back, NULL), 0);
    ck_assert_str_eq(back.stream, "00112233445566778899aabbccddeeff");
    ck_assert(back.n == 1 && back.items[0].first == 300 && back.items[0].last == 307 && !back.items[0].done);
    back.items[0].done = true;
    ck_assert_int_eq(hf_border_file_save(&opened, &back, NULL), 0);
    hf_borders_format(&back, 4, slot);
    const unsigned char *now = hf_simfs_get(fs, "/borders", &n);
    ck_assert_uint_eq(n, sizeof(file));
    ck_assert_mem_eq(now + 4096, slot, sizeof(slot));
    ck_assert_mem_eq(now, file, 4096);
    ck_assert_mem_eq(now + 4096 + sizeof(slot), file + 4096 + sizeof(slot), 4096 - sizeof(slot));
    hf_border_file_close(&opened);
    hf_simfs_free(fs);
}
END_TEST

/* A power cut at each call of several saves: the file holds the last saved borders or the ones of the interrupted
 * save. */
START_TEST(borders_survive_power_cuts)
{
    for (uint64_t n = 1;; n++) {
        for (uint64_t seed = 0; seed < 6; seed++) {
            struct hf_simfs *fs = hf_simfs_new();
            struct hf_border_file file = {.fd = -1};
            struct hf_borders back, saved = {.n = 0}, tried = {.n = 0};
            hf_simfs_mkdir(fs, "/d", 0700);
            hf_simfs_stop_at(fs, n);
            int r = hf_border_file_open(hf_simfs_ops(fs), "/d/borders", true, &file, &back, NULL);
            for (unsigned i = 1; r == 0 && i < 12; i++) {
                tried = borders_of(i % 9, i * 1000);
                r = hf_border_file_save(&file, &tried, NULL);
                if (r == 0)
                    saved = tried;
            }
            bool stopped = hf_simfs_stopped(fs);
            hf_border_file_close(&file);
            hf_simfs_power_cut(fs, seed);
            ck_assert_int_eq(hf_border_file_open(hf_simfs_ops(fs), "/d/borders", true, &file, &back, NULL), 0);
            ck_assert_msg(same(&back, &saved) || same(&back, &tried), "call %lu seed %lu", (unsigned long)n,
                          (unsigned long)seed);
            ck_assert_int_eq(hf_border_file_save(&file, &saved, NULL), 0);
            hf_border_file_close(&file);
            hf_simfs_free(fs);
            if (!stopped)
                return;
        }
        ck_assert_uint_lt(n, 500);
    }
}
END_TEST

/* A process is killed in a save, and the power goes while the next one opens the file: what a save reported as durable
 * is still there. */
START_TEST(borders_survive_a_kill_and_then_a_power_cut)
{
    for (uint64_t kill_at = 1; kill_at <= 2; kill_at++) /* the write, the sync */
        for (uint64_t cut_at = 1;; cut_at++) {
            bool stopped = false;
            for (uint64_t seed = 0; seed < 40; seed++) {
                const struct hf_borders saved = borders_of(2, 2000), tried = borders_of(3, 3000);
                struct hf_borders before = borders_of(1, 1000), back;
                struct hf_border_file file = {.fd = -1};
                struct hf_simfs *fs = hf_simfs_new();
                hf_simfs_mkdir(fs, "/d", 0700);
                ck_assert_int_eq(hf_border_file_open(hf_simfs_ops(fs), "/d/borders", true, &file, &back, NULL), 0);
                ck_assert_int_eq(hf_border_file_save(&file, &before, NULL), 0);
                ck_assert_int_eq(hf_border_file_save(&file, &saved, NULL), 0);
                hf_simfs_count_only(fs, HF_SIMFS_WRITES);
                hf_simfs_stop_at(fs, kill_at);
                ck_assert_int_lt(hf_border_file_save(&file, &tried, NULL), 0);
                hf_border_file_close(&file);
                hf_simfs_kill(fs);
                hf_simfs_stop_at(fs, cut_at);
                if (hf_border_file_open(hf_simfs_ops(fs), "/d/borders", true, &file, &back, NULL) == 0)
                    hf_border_file_close(&file);
                stopped = hf_simfs_stopped(fs);
                hf_simfs_power_cut(fs, seed);
                ck_assert_int_eq(hf_border_file_open(hf_simfs_ops(fs), "/d/borders", true, &file, &back, NULL), 0);
                ck_assert_msg(same(&back, &saved) || same(&back, &tried),
                              "kill at %lu, cut at %lu, seed %lu: %zu borders", (unsigned long)kill_at,
                              (unsigned long)cut_at, (unsigned long)seed, back.n);
                hf_border_file_close(&file);
                hf_simfs_free(fs);
            }
            if (!stopped)
                break;
        }
}
END_TEST

/* ---- batches ----------------------------------------------------------------------------------------------------- */

/* Somebody deletes the file, and a call fails while it is made again: once a later save succeeds, the borders are on
 * the disk. */
START_TEST(borders_that_are_made_again_are_durable)
{
    bool failed = true;

    for (uint64_t n = 1; failed; n++) {
        const struct hf_borders tried = borders_of(2, 2000), saved = borders_of(3, 3000);
        struct hf_border_file file = {.fd = -1};
        struct hf_simfs *fs = hf_simfs_new();
        struct hf_borders back;

        hf_simfs_mkdir(fs, "/d", 0700);
        ck_assert_int_eq(hf_border_file_open(hf_simfs_ops(fs), "/d/borders", true, &file, &back, NULL), 0);
        hf_simfs_delete(fs, "/d/borders");
        hf_simfs_count_only(fs, HF_SIMFS_WRITES);
        hf_simfs_fail_at(fs, n, EIO, 1);
        failed = hf_border_file_save(&file, &tried, NULL) < 0;
        hf_simfs_fail_at(fs, 0, 0, 0);
        ck_assert_int_eq(hf_border_file_save(&file, &saved, NULL), 0);
        hf_border_file_close(&file);
        hf_simfs_power_cut(fs, HF_SIMFS_LOSE_ALL);
        ck_assert_int_eq(hf_border_file_open(hf_simfs_ops(fs), "/d/borders", true, &file, &back, NULL), 0);
        ck_assert_msg(back.n == 3, "error at call %d: %zu borders", (int)n, back.n);
        hf_border_file_close(&file);
        hf_simfs_free(fs);
    }
}
END_TEST

START_TEST(gaps_and_joining)
{
    struct hf_batches batches = {.n = 0};
    struct hf_border gap;

    ck_assert(hf_batches_gap(&batches, 1, 100, &gap));
    ck_assert(gap.first == 1 && gap.last == 100);
    ck_assert(!hf_batches_gap(&batches, 101, 100, &gap));
    struct hf_batch *low = hf_batches_add(&batches, 1, 10, HF_BATCH_SENDING);
    struct hf_batch *high = hf_batches_add(&batches, 91, 100, HF_BATCH_SENDING);
    ck_assert(hf_batches_gap(&batches, 1, 100, &gap));
    ck_assert(gap.first == 11 && gap.last == 90);
    struct hf_batch *middle = hf_batches_add(&batches, 11, 20, HF_BATCH_DONE);
    ck_assert_uint_eq(hf_batches_settle(&batches, 0, 0), 0); /* the lowest batch is in flight */
    high->phase = HF_BATCH_DONE;
    low->phase = HF_BATCH_DONE;
    (void)middle;
    ck_assert_uint_eq(hf_batches_settle(&batches, 0, 0), 20);
    ck_assert_uint_eq(batches.n, 2); /* joined, and kept until the cursor on disk has passed them */
    ck_assert_uint_eq(hf_batches_settle(&batches, 20, 20), 20);
    ck_assert_uint_eq(batches.n, 1);
    struct hf_batch *rest = hf_batches_add(&batches, 21, 90, HF_BATCH_DONE);
    (void)rest;
    ck_assert_uint_eq(hf_batches_settle(&batches, 20, 20), 100);
    hf_batches_done(&batches);
}
END_TEST

START_TEST(splitting_takes_few_places)
{
    struct hf_batches batches = {.n = 0};
    struct hf_batch_choice choice = {.now_ns = 1};
    uint64_t wait = HF_NEVER;
    unsigned most = 0, buried = 0;

    for (unsigned i = 0; i < HF_BATCH_PLANNED; i++)
        ck_assert_ptr_nonnull(hf_batches_add(&batches, i * 2000 + 1, i * 2000 + 2000, HF_BATCH_WAITING));
    ck_assert(!hf_batches_may_plan(&batches));
    /* the sink refuses every batch down to its last record: the table never runs out of places, and the splitting ends
     */
    for (uint64_t steps = 0; buried < HF_BATCH_PLANNED * 2000; steps++) {
        struct hf_batch *batch = hf_batches_next(&batches, &choice, &wait);
        ck_assert_ptr_nonnull(batch);
        ck_assert_uint_lt(steps, 200000);
        if (batch->range.first == batch->range.last) {
            batch->phase = HF_BATCH_DONE;
            buried++;
            (void)hf_batches_settle(&batches, 0, 0);
        } else {
            ck_assert_ptr_nonnull(hf_batches_split(&batches, batch, (batch->range.first + batch->range.last) / 2));
        }
        most = HF_MAX(most, (unsigned)batches.n);
    }
    ck_assert_uint_lt(most, HF_BORDER_MAX);
    ck_assert_uint_eq(hf_batches_settle(&batches, 0, 0), HF_BATCH_PLANNED * 2000);
    hf_batches_done(&batches);
}
END_TEST

START_TEST(waiting_and_waking)
{
    struct hf_batches batches = {.n = 0};
    struct hf_batch_choice choice = {.now_ns = 10};
    uint64_t wait = HF_NEVER;

    struct hf_batch *a = hf_batches_add(&batches, 1, 5, HF_BATCH_WAITING);
    struct hf_batch *b = hf_batches_add(&batches, 6, 9, HF_BATCH_WAITING);
    a->not_before_ns = 50;
    b->not_before_ns = 40;
    ck_assert_ptr_null(hf_batches_next(&batches, &choice, &wait));
    ck_assert_uint_eq(wait, 40);
    choice.probe = true;
    ck_assert_ptr_eq(hf_batches_next(&batches, &choice, &wait), a);
    choice.newest = true;
    ck_assert_ptr_eq(hf_batches_next(&batches, &choice, &wait), b);
    choice = (struct hf_batch_choice){.now_ns = 10};
    hf_batches_wake(&batches);
    ck_assert_ptr_eq(hf_batches_next(&batches, &choice, &wait), a);
    hf_batches_done(&batches);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, answers_mean_what_they_should, 0, (int)HF_LEN(answers));
    tcase_add_test(tc, series_end_by_attempts_and_by_time);
    tcase_add_test(tc, the_seeds_rule_is_linear);
    tcase_add_test(tc, breaker_opens_probes_closes);
    tcase_add_test(tc, pace_follows_latency);
    tcase_add_test(tc, pace_keeps_a_bandwidth);
    tcase_add_test(tc, borders_as_bytes);
    tcase_add_test(tc, borders_of_older_code_are_read_and_continued);
    tcase_add_test(tc, borders_survive_power_cuts);
    tcase_add_test(tc, borders_survive_a_kill_and_then_a_power_cut);
    tcase_add_test(tc, borders_that_are_made_again_are_durable);
    tcase_add_test(tc, gaps_and_joining);
    tcase_add_test(tc, splitting_takes_few_places);
    tcase_add_test(tc, waiting_and_waking);
}

HF_TEST_MAIN("telemetry/delivery", cases)
