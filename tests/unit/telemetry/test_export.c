/* SPDX-License-Identifier: Apache-2.0 */
/* Delivery to a folder on a medium: names, the message, hostile media, power cuts, and an outlet while the medium comes and goes. */
#include "telemetry/sink/export.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "os/clock_posix.h"
#include "os/fs_posix.h"
#include "os/rand_posix.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "telemetry/sink/export_file.h"
#include "telemetry/sink/outlet.h"
#include "telemetry/sink/shares.h"

static const struct hf_http_request request = {
    .method = "POST",
    .url = "https://[2001:db8::1]:8443/take/v1/logs?tenant=7#part",
    .headers = {"Content-Type: application/json", "X-Device-Key: secret", "Authorization: Bearer secret",
                "Idempotency-Key: n7/0123abcd/5-90/logs", "Content-Encoding: zstd"},
    .credential = "Authorization: Bearer secret",
    .body = {"\0a body\r\n\r\n", 11},
};

START_TEST(a_message_keeps_what_the_receiver_needs_and_no_secret)
{
    static const char want[] = "POST /take/v1/logs?tenant=7 HTTP/1.1\r\nHost: 2001:db8::1\r\n"
                               "Content-Type: application/json\r\nContent-Encoding: zstd\r\n"
                               "Idempotency-Key: n7/0123abcd/5-90/logs\r\nContent-Length: 11\r\n\r\n\0a body\r\n\r\n";
    struct hf_buf text = HF_BUF_INIT(4096);
    struct hf_export_message message;

    ck_assert_int_eq(hf_export_file_format(&request, &text, NULL), 0);
    ck_assert_mem_eq(text.p, want, HF_MIN(text.n, sizeof(want) - 1));
    ck_assert_uint_eq(text.n, sizeof(want) - 1);
    ck_assert_int_eq(hf_export_file_parse(hf_buf_view(&text), &message, NULL), 0);
    ck_assert(hf_view_eq(message.target, "/take/v1/logs?tenant=7"));
    ck_assert(hf_view_eq(message.fields[2], "n7/0123abcd/5-90/logs"));
    ck_assert(message.fields[3].n == 0);
    ck_assert_uint_eq(message.body.n, request.body.n);
    ck_assert_mem_eq(message.body.p, request.body.p, request.body.n);
    for (size_t n = 0; n < text.n; n++) /* cut short anywhere */
        ck_assert_int_eq(hf_export_file_parse((struct hf_view){text.p, n}, &message, NULL), -EBADMSG);
    hf_buf_done(&text);
}
END_TEST

static const struct {
    const char *url, *key, *folder, *file;
} places[] = {
    {"https://a.example.com/x", "n/s/1-2", "a.example.com", "s-1-2.http"},
    {"https://a.example.com/x", "n/s/1-2/metrics", "a.example.com", "s-1-2-metrics.http"},
    {"https://[::1]:1/", "n/s/1-2", "__1", "s-1-2.http"},
    {"https://a/", "n/../../etc/cron.d/x", "a", "..-..-etc-cron.d-x.http"},
    {"https://../", "n/s/1", NULL, NULL},
    {"https://a/", "n", NULL, NULL},
    {"https://a/", "", NULL, NULL},
    {"a/b", "n/s/1", NULL, NULL},
};

START_TEST(a_key_names_the_file)
{
    char key[200];
    struct hf_http_request asked = {.method = "POST", .url = places[_i].url, .headers = {key}};
    struct hf_export_place place;

    (void)snprintf(key, sizeof(key), "Idempotency-Key: %s", places[_i].key);
    int r = hf_export_file_place(&asked, &place, NULL);
    ck_assert_msg((r == 0) == (places[_i].file != NULL), "%s %s: %d", asked.url, key, r);
    if (r < 0)
        return;
    ck_assert_str_eq(place.folder, places[_i].folder);
    ck_assert_str_eq(place.file, places[_i].file);
}
END_TEST

static const char *const bad[] = {
    "",
    "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "POST https://evil/ HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "POST /a b HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\nContent-Length: 0\n\n",
    "POST / HTTP/1.1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\nx",
    "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Type: a\nX: b\r\nContent-Length: 0\r\n\r\n",
    "POST / HTTP/1.1\r\nno colon\r\nContent-Length: 0\r\n\r\n",
};

START_TEST(other_files_are_no_message)
{
    struct hf_export_message message;

    ck_assert_int_eq(hf_export_file_parse(hf_view_of(bad[_i]), &message, NULL), -EBADMSG);
}
END_TEST

/* ---- the medium -------------------------------------------------------------------------------------------------- */

static const struct hf_export_path path = {"/usb/out", "n7", "a.example.com", "s-1-2.http"};
#define FULL "/usb/out/n7/a.example.com/s-1-2.http"

static bool holds(struct hf_simfs *fs, const char *text)
{
    size_t n;
    const char *got = hf_simfs_get(fs, FULL, &n);

    return got != NULL && n == strlen(text) && memcmp(got, text, n) == 0;
}

START_TEST(nothing_is_made_without_the_medium)
{
    struct hf_simfs *fs = hf_simfs_new();
    struct hf_err err = HF_ERR_INIT;

    hf_simfs_mkdir(fs, "/usb", 0755);
    ck_assert_int_eq(hf_export_write(hf_simfs_ops(fs), &path, HF_VIEW("one"), &err), -ECONNREFUSED);
    ck_assert_ptr_nonnull(strstr(err.cause, "/usb/out"));
    ck_assert(!hf_simfs_stat(fs, "/usb/out", &(struct stat){0}));
    hf_simfs_free(fs);
}
END_TEST

/* A failure, and a power cut, at each call: success means durable, the file is whole or absent, and the next attempt ends it. */
START_TEST(success_is_durable)
{
    for (uint64_t n = 1;; n++) {
        struct hf_simfs *fs = hf_simfs_new();
        hf_simfs_mkdir(fs, "/usb/out", 0755);
        if (_i == 0)
            hf_simfs_fail_at(fs, n, EIO, 1);
        else
            hf_simfs_stop_at(fs, n);
        int r = hf_export_write(hf_simfs_ops(fs), &path, HF_VIEW("one"), NULL);
        bool reached = _i == 0 ? hf_simfs_failed(fs) > 0 : hf_simfs_stopped(fs);
        ck_assert_uint_eq(hf_simfs_open_fds(fs), _i == 0 ? 0 : hf_simfs_open_fds(fs));
        hf_simfs_power_cut(fs, n * 7919);
        ck_assert(r < 0 || holds(fs, "one"));
        ck_assert(holds(fs, "one") || !hf_simfs_stat(fs, FULL, &(struct stat){0}));
        ck_assert_int_eq(hf_export_write(hf_simfs_ops(fs), &path, HF_VIEW("one"), NULL), 0);
        hf_simfs_power_cut(fs, HF_SIMFS_LOSE_ALL);
        ck_assert(holds(fs, "one"));
        hf_simfs_free(fs);
        if (!reached) {
            ck_assert_uint_gt(n, 8);
            return;
        }
    }
}
END_TEST

/* What a medium may carry in place of our folders and files: no link is followed, nothing else is written. */
static const struct {
    const char *at, *target; /* NULL: a folder */
    bool works;
} traps[] = {
    {"/usb/out/n7", "/etc", false},
    {"/usb/out/n7/a.example.com", "/etc", false},
    {FULL, "/etc/passwd", true}, /* the link is replaced */
    {"/usb/out/n7/a.example.com/.unfinished", "/etc/passwd", true},
    {FULL, NULL, false},
    {"/usb/out/n7/a.example.com/.unfinished", NULL, false},
};

START_TEST(a_hostile_medium_leads_nowhere)
{
    struct hf_simfs *fs = hf_simfs_new();
    size_t n;

    hf_simfs_mkdir(fs, "/usb/out", 0755);
    hf_simfs_put(fs, "/etc/passwd", "root", 4, 0644);
    if (traps[_i].target != NULL)
        hf_simfs_symlink(fs, traps[_i].at, traps[_i].target);
    else
        hf_simfs_mkdir(fs, traps[_i].at, 0755);
    int r = hf_export_write(hf_simfs_ops(fs), &path, HF_VIEW("one"), NULL);
    ck_assert_msg((r == 0) == traps[_i].works && holds(fs, "one") == traps[_i].works, "%s: %d", traps[_i].at, r);
    ck_assert_mem_eq(hf_simfs_get(fs, "/etc/passwd", &n), "root", 4);
    ck_assert_uint_eq(n, 4);
    ck_assert(!hf_simfs_stat(fs, "/etc/s-1-2.http", &(struct stat){0}));
    hf_simfs_free(fs);
}
END_TEST

/* ---- an outlet --------------------------------------------------------------------------------------------------- */

struct world {
    char dir[64], medium[128], away[128];
    struct hf_loop *loop;
    struct hf_metrics *metrics;
    struct hf_export *export;
    struct hf_outlet *outlet;
    struct hf_timer *timer;
    uint64_t want, deadline_ns;
    bool troubled;
};

static void look(void *arg)
{
    struct world *world = arg;
    const struct hf_sched_ops *sched = hf_loop_sched(world->loop);
    struct hf_outlet_state state = hf_outlet_state(world->outlet);

    world->troubled = strstr(state.trouble, "insert the medium") != NULL;
    if ((world->want > 0 ? state.delivered >= world->want : world->troubled) ||
        hf_mono_ns(hf_clock_posix()) > world->deadline_ns)
        hf_loop_stop(world->loop);
    else
        hf_timer_arm(sched, world->timer, 10 * HF_NS_PER_MS);
}

/* Runs until so many events are delivered; 0: until the outlet misses the medium. */
static void run_until(struct world *world, uint64_t want)
{
    const struct hf_sched_ops *sched = hf_loop_sched(world->loop);

    world->want = want;
    world->deadline_ns = hf_mono_ns(hf_clock_posix()) + 30 * HF_NS_PER_S;
    hf_timer_arm(sched, world->timer, 0);
    hf_loop_run(world->loop);
    ck_assert_msg(want > 0 ? hf_outlet_state(world->outlet).delivered == want : world->troubled, "%s",
                  hf_outlet_state(world->outlet).trouble);
}

static void append(struct world *world, unsigned from, unsigned n)
{
    for (unsigned i = from; i < from + n; i++) {
        char line[64];
        int length = snprintf(line, sizeof(line), "{\"id\":\"%u\",\"body\":\"a line\"}", i);
        ck_assert_int_eq(hf_outlet_append(world->outlet, HF_LANE_BULK, hf_shares_agent(), 0,
                                          (struct hf_view){line, (size_t)length}, NULL),
                         0);
    }
}

static int remove_one(const char *name, HF_UNUSED const struct stat *st, HF_UNUSED int flag, HF_UNUSED struct FTW *ftw)
{
    return remove(name);
}

/* The number of files on the medium, each of which must be a message. */
static unsigned count_files(const char *folder)
{
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, NULL, alphasort);
    unsigned found = 0;

    for (int i = 0; i < n; i++) {
        found += strstr(entries[i]->d_name, HF_EXPORT_ENDING) != NULL;
        free(entries[i]);
    }
    free(entries);
    return found;
}

START_TEST(an_outlet_waits_for_the_medium)
{
    struct world world = {.dir = "/tmp/hf-export-XXXXXX"};
    const struct hf_telemetry spec = {.batch_max_bytes = 1024,
                                      .batch_timeout_ns = 50 * HF_NS_PER_MS,
                                      .max_attempts = 3,
                                      .retry_base_ns = 100 * HF_NS_PER_MS,
                                      .max_duration_ns = 300 * HF_NS_PER_S};
    /* its files are absent: an export has no use for them */
    char url[] = "https://a.example.com/take", nowhere[] = "/nowhere";
    const struct hf_telemetry_sink sink = {.name = "s", .url = url, .format = HF_SINK_NDJSON, .ca_file = nowhere};
    char folder[256];

    ck_assert_ptr_nonnull(mkdtemp(world.dir));
    (void)snprintf(world.medium, sizeof(world.medium), "%s/usb", world.dir);
    (void)snprintf(world.away, sizeof(world.away), "%s/away", world.dir);
    world.loop = hf_loop_new(NULL);
    world.metrics = hf_metrics_new();
    const struct hf_sched_ops *sched = hf_loop_sched(world.loop);
    world.timer = hf_timer_new(sched, look, &world);
    world.export = hf_export_new(hf_fs_posix(), sched, world.medium, "n7");
    const struct hf_telemetry_env given = {.loop = world.loop,
                                           .fs = hf_fs_posix(),
                                           .clock = hf_clock_posix(),
                                           .sched = sched,
                                           .rand = hf_rand_posix(),
                                           .metrics = world.metrics,
                                           .node = "n7",
                                           .dir = world.dir,
                                           .exported = hf_export_http(world.export)};
    const struct hf_outlet_params params = {.env = &given, .spec = &spec, .sink = &sink, .max_bytes = 16 << 20};
    ck_assert_int_eq(hf_outlet_new(&params, &world.outlet, NULL), 0);
    append(&world, 0, 100);
    run_until(&world, 0);
    ck_assert_int_eq(mkdir(world.medium, 0755), 0);
    run_until(&world, 100);
    (void)snprintf(folder, sizeof(folder), "%s/n7/a.example.com", world.medium);
    unsigned before = count_files(folder);
    ck_assert_uint_gt(before, 1);
    ck_assert_int_eq(rename(world.medium, world.away), 0); /* pulled */
    append(&world, 100, 100);
    run_until(&world, 0);
    ck_assert_int_eq(mkdir(world.medium, 0755), 0); /* another one */
    run_until(&world, 200);
    ck_assert_uint_gt(count_files(folder), 1);
    (void)snprintf(folder, sizeof(folder), "%s/n7/a.example.com", world.away);
    ck_assert_uint_eq(count_files(folder), before);

    hf_timer_free(sched, world.timer);
    append(&world, 200, 10); /* freed while requests are under way */
    hf_outlet_free(world.outlet);
    hf_export_free(world.export);
    ck_assert(hf_loop_drain(world.loop, 5 * HF_NS_PER_S));
    hf_loop_free(world.loop);
    hf_metrics_free(world.metrics);
    (void)nftw(world.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_message_keeps_what_the_receiver_needs_and_no_secret);
    tcase_add_loop_test(tc, a_key_names_the_file, 0, (int)HF_LEN(places));
    tcase_add_loop_test(tc, other_files_are_no_message, 0, (int)HF_LEN(bad));
    tcase_add_test(tc, nothing_is_made_without_the_medium);
    tcase_add_loop_test(tc, success_is_durable, 0, 2);
    tcase_add_loop_test(tc, a_hostile_medium_leads_nowhere, 0, (int)HF_LEN(traps));
    tcase_add_test(tc, an_outlet_waits_for_the_medium);
}

HF_TEST_MAIN("telemetry/export", cases)
