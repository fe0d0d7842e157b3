/* SPDX-License-Identifier: Apache-2.0 */
/* A whole agent among liars: the Date of its API server, its time server and its clock chip leap by up to 50 years, with
 * reboots in between; a seed decides all of it.
 *
 *     HF_SIM_SEEDS=N   number of seeds (default 100), of which a sample runs (support/walk.h)
 *     HF_SIM_SEED=S    only this seed; HF_SIM_LOG=1 prints the agent's log
 *
 * Always: no expired release is started unless every live witness of the node lies. The server's certificate is valid
 * all the time, and the node judges it. When the lies have ended: the next contact comes by itself; after it the node
 * knows the time, and the last release has the right end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/format.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/simnode.h"
#include "support/walk.h"

#define MINUTE (60 * HF_NS_PER_S)
#define DAY (24 * 60 * MINUTE)
#define SKEW (300 * HF_NS_PER_S)

enum { RELEASES = 8, DEFAULT_SEEDS = 100, BLOCK = 25 }; /* BLOCK: seeds in one process */

static const char *const tempers[RELEASES] = {"healthy", "healthy", "healthy", "healthy",
                                              "healthy", "healthy", "healthy", "healthy"};
static struct hf_simsite *site;

/* What keeps the wall clock of this node while nobody lies. */
enum keeper { TIME_SERVER, CHIP, NOTHING, KEEPERS };

/* Shared by the processes of all tests. */
static struct {
    unsigned worlds, lies, reboots, expired_published, expired_started;
    unsigned by_lies_alone; /* expired releases that started while every witness lied */
    double contact_s, worst_contact_s, healed_s, worst_healed_s;
} * totals;

static struct world {
    uint64_t seed;
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct hf_simnode *node;
    enum keeper keeper;
    bool expired[RELEASES + 1];
    size_t published, installed;
    int64_t date_lie, wall_lie;
    uint64_t boot_ns;
    bool calm;
    uint64_t calm_ns; /* when the lies ended */
} w;

static uint64_t truth(void)
{
    return HF_SIM_UNIX_START + hf_simloop_now_ns(w.loop);
}

static uint64_t random_below(uint64_t n)
{
    return hf_simloop_below(w.loop, n);
}

#define MUST(condition, ...)                                                                                           \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            char said_[400];                                                                                           \
            (void)snprintf(said_, sizeof(said_), __VA_ARGS__);                                                         \
            ck_abort_msg("HF_SIM_SEED=%llu: %s", (unsigned long long)w.seed, said_);                                   \
        }                                                                                                              \
    } while (0)

static bool is_near(uint64_t a, uint64_t b)
{
    return (a > b ? a - b : b - a) <= SKEW + MINUTE;
}

/* ---- what must always hold --------------------------------------------------------------------------------------- */

/* A witness that tells the truth now: the wall clock, or the last Date that this process got. */
static bool some_witness_is_honest(void)
{
    const struct hf_clock *clock = &w.node->home.clock;
    uint64_t date = clock->date_unix_ns + (hf_mono_ns(clock->wall) - clock->date_mono_ns);

    return is_near(hf_unix_ns(clock->wall), truth()) || (clock->date_unix_ns != 0 && is_near(date, truth()));
}

static void after_each(void *arg)
{
    size_t installed = hf_simnode_installed(w.node);

    (void)arg;
    if (!w.node->alive || installed == w.installed || installed == 0)
        return;
    w.installed = installed;
    if (!w.expired[installed])
        return;
    totals->expired_started++;
    totals->by_lies_alone += !some_witness_is_honest();
    MUST(!some_witness_is_honest(), "expired release %zu is installed, and a witness told the truth", installed);
}

/* ---- lies -------------------------------------------------------------------------------------------------------- */

static int64_t some_lie(void)
{
    static const uint64_t spans[] = {50 * 365 * DAY, 50 * 365 * DAY, 400 * DAY, 10 * DAY, DAY, 20 * MINUTE};
    uint64_t span = spans[random_below(HF_LEN(spans))];

    return (int64_t)random_below(2 * span) - (int64_t)span;
}

/* The wall clock as its keeper and the lie make it. */
static void set_wall(void)
{
    int64_t offset = w.wall_lie;

    if (w.keeper == NOTHING && w.wall_lie == 0) /* 1970 at the boot */
        offset = -(int64_t)(HF_SIM_UNIX_START + w.boot_ns);
    hf_simnode_set_clock(w.node, offset);
    hf_simnode_set_sync_error(w.node, w.keeper == TIME_SERVER ? random_below(HF_NS_PER_S) : HF_NEVER);
}

static void begin_life(void *arg)
{
    struct hf_err err = HF_ERR_INIT;

    (void)arg;
    set_wall();
    MUST(hf_simnode_begin(w.node, &err) == 0, "the agent does not start: %s", err.cause);
}

static void end_life(void)
{
    bool power = random_below(2) == 0;

    if (!w.node->alive)
        return;
    totals->reboots++;
    hf_simnode_end(w.node, power);
    if (power)
        w.boot_ns = hf_simloop_now_ns(w.loop);
    hf_simloop_post(w.loop, HF_NS_PER_S + random_below(20 * HF_NS_PER_S), begin_life, NULL);
}

static void publish(void)
{
    if (w.published >= RELEASES)
        return;
    size_t release = ++w.published;
    w.expired[release] = release > 1 && random_below(2) == 0;
    totals->expired_published += w.expired[release];
    char when[HF_TIME_TEXT];
    uint64_t past = HF_SIM_UNIX_START - random_below(15 * DAY), soon = HF_SIM_UNIX_START + DAY + random_below(90 * DAY);
    struct hf_simsite_twist twist = {.expires = hf_format_time(w.expired[release] ? past : soon, when)};
    (void)hf_simapi_put(w.api, hf_simsite_update(site, release, &twist));
}

static void disturb(void *arg)
{
    (void)arg;
    if (w.calm)
        return;
    switch (random_below(8)) {
    case 0:
    case 1:
        w.date_lie = random_below(3) == 0 ? 0 : random_below(4) == 0 ? w.wall_lie : some_lie();
        totals->lies += w.date_lie != 0;
        hf_simnet_set_date_offset(w.net, w.date_lie);
        hf_simapi_end_watches(w.api);
        break;
    case 2:
    case 3:
    case 4:
        w.wall_lie = random_below(3) == 0 ? 0 : random_below(4) == 0 ? w.date_lie : some_lie();
        totals->lies += w.wall_lie != 0;
        set_wall();
        break;
    case 5:
        end_life();
        break;
    case 6:
        hf_simnode_set_links(w.node, (enum hf_simlink_state)random_below(3), HF_SIM_LINK_UP);
        break;
    default:
        publish();
        break;
    }
    hf_simloop_post(w.loop, HF_NS_PER_S + random_below(90 * HF_NS_PER_S), disturb, NULL);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* The node got a Date after the lies had ended. */
static bool heard(void *arg)
{
    const struct hf_clock *clock = &w.node->home.clock;

    (void)arg;
    if (!w.node->alive || clock->date_unix_ns == 0)
        return false;
    uint64_t age = hf_mono_ns(clock->wall) - clock->date_mono_ns;
    return hf_simloop_now_ns(w.loop) - age >= w.calm_ns && is_near(clock->date_unix_ns + age, truth());
}

static bool knows_the_time(void)
{
    struct hf_time_range range = hf_clock_range(hf_home_clock(&w.node->home));

    return is_near(range.estimate_unix_ns, truth()) && is_near(range.latest_unix_ns, truth()) &&
           range.earliest_unix_ns <= truth() + SKEW &&
           range.agreement == (w.keeper == NOTHING ? HF_TIME_ALONE : HF_TIME_AGREED);
}

static bool ended_well(void *arg)
{
    const json_t *status = json_object_get(hf_simapi_get(w.api, "EdgeNode", "node-1"), "status");
    const json_t *update = json_array_get(json_object_get(status, "updates"), 0);
    const char *phase = hf_json_str_or(update, "phase", ""), *reason = hf_json_str_or(update, "reason", "");

    (void)arg;
    if (hf_json_int_or(update, "sequence", 0) != (int64_t)w.published)
        return false;
    if (!w.expired[w.published] ||
        hf_simnode_installed(w.node) == w.published) /* it started while all witnesses lied */
        return strcmp(phase, "Committed") == 0;
    return (strcmp(phase, "Rejected") == 0 && strcmp(reason, "Expired") == 0) ||
           (w.keeper == NOTHING && strcmp(reason, "ClockUnsure") == 0);
}

static void heal(void)
{
    w.calm = true;
    w.calm_ns = hf_simloop_now_ns(w.loop);
    w.date_lie = w.wall_lie = 0;
    hf_simnet_set_date_offset(w.net, 0);
    set_wall();
    hf_simnode_set_links(w.node, HF_SIM_LINK_UP, HF_SIM_LINK_UP);
    hf_simapi_end_watches(w.api);
}

static void check_healing(void)
{
    uint64_t began = hf_simloop_now_ns(w.loop);

    MUST(hf_simloop_run_until(w.loop, heard, NULL, 15 * MINUTE), "the node does not reach its server any more");
    double contact_s = (double)(hf_simloop_now_ns(w.loop) - began) / 1e9;
    MUST(knows_the_time(), "one contact does not heal the node's time");
    MUST(hf_simloop_run_until(w.loop, ended_well, NULL, 10 * MINUTE), "release %zu (%s) does not end well: %s",
         w.published, w.expired[w.published] ? "expired" : "valid",
         json_dumps(hf_simapi_get(w.api, "EdgeNode", "node-1"), JSON_COMPACT));
    double healed_s = (double)(hf_simloop_now_ns(w.loop) - began) / 1e9;
    totals->contact_s += contact_s;
    totals->healed_s += healed_s;
    totals->worst_contact_s = HF_MAX(totals->worst_contact_s, contact_s);
    totals->worst_healed_s = HF_MAX(totals->worst_healed_s, healed_s);
    totals->worlds++;
}

/* ---- a world ----------------------------------------------------------------------------------------------------- */

static void set_up(uint64_t seed)
{
    memset(&w, 0, sizeof(w));
    w.seed = seed;
    w.loop = hf_simloop_new(seed);
    w.net = hf_simnet_new(w.loop);
    w.api = hf_simapi_new(w.loop, w.net, "https://api");
    w.keeper = (enum keeper)(seed % KEEPERS);
    w.installed = 1;
    hf_simnet_set_certificate(w.net, (int64_t)((HF_SIM_UNIX_START - random_below(30 * DAY)) / HF_NS_PER_S),
                              (int64_t)((HF_SIM_UNIX_START + DAY + random_below(60 * DAY)) / HF_NS_PER_S));
    hf_simsite_serve(site, w.net);
    (void)hf_simapi_put_text(w.api, "{\"apiVersion\":\"" HF_API_GROUP_VERSION
                                    "\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"all\"},"
                                    "\"spec\":{\"interval\":\"60s\",\"retryInterval\":\"10s\",\"timeout\":\"30s\"}}");
    (void)hf_simapi_put_text(
        w.api, "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"node-1\",\"labels\":{}}}");
    w.node = hf_simnode_new(&(struct hf_simnode_params){.loop = w.loop,
                                                        .net = w.net,
                                                        .site = site,
                                                        .name = "node-1",
                                                        .server = "https://api",
                                                        .log = getenv("HF_SIM_LOG") != NULL});
    hf_simloop_after_each(w.loop, after_each, NULL);
}

static void tear_down(void)
{
    hf_simnode_free(w.node);
    hf_simapi_free(w.api);
    hf_simnet_free(w.net);
    hf_simloop_free(w.loop);
}

static uint64_t seed_from_environment(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text == NULL || text[0] == '\0' ? fallback : strtoull(text, NULL, 10);
}

static void a_world(uint64_t seed)
{
    set_up(seed);
    if (random_below(3) == 0)
        w.wall_lie = some_lie();
    publish();
    begin_life(NULL);
    hf_simloop_post(w.loop, 5 * HF_NS_PER_S, disturb, NULL);
    (void)hf_simloop_run_for(w.loop, 20 * MINUTE + random_below(10 * MINUTE));
    if (w.published < 2)
        publish();
    heal();
    check_healing();
    tear_down();
}

START_TEST(worlds)
{
    uint64_t only = seed_from_environment("HF_SIM_SEED", 0),
             seeds = seed_from_environment("HF_SIM_SEEDS", DEFAULT_SEEDS);

    uint64_t before = (uint64_t)_i * BLOCK, last = HF_MIN(seeds, before + BLOCK);

    for (uint64_t seed = hf_walk_next("worlds", before); only == 0 && seed <= last; seed = hf_walk_next("worlds", seed))
        a_world(seed);
    if (only != 0)
        a_world(only);
}
END_TEST

static void begin(void)
{
    totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(totals, MAP_FAILED);
    site = hf_simsite_new("edge", RELEASES, tempers);
}

static void end(void)
{
    (void)printf("%u worlds, %u lies, %u reboots; expired releases: %u published, %u started, %u of these while every "
                 "witness lied; after the lies ended: contact in %.1f s on average and %.1f s at most, the right end "
                 "in %.1f s and %.1f s\n",
                 totals->worlds, totals->lies, totals->reboots, totals->expired_published, totals->expired_started,
                 totals->by_lies_alone, totals->contact_s / HF_MAX(totals->worlds, 1), totals->worst_contact_s,
                 totals->healed_s / HF_MAX(totals->worlds, 1), totals->worst_healed_s);
    hf_simsite_free(site);
    (void)munmap(totals, sizeof(*totals));
}

static void cases(TCase *tc)
{
    uint64_t seeds = getenv("HF_SIM_SEED") != NULL ? 1 : seed_from_environment("HF_SIM_SEEDS", DEFAULT_SEEDS);

    tcase_add_unchecked_fixture(tc, begin, end);
    tcase_add_loop_test(tc, worlds, 0, (int)((seeds + BLOCK - 1) / BLOCK));
}

HF_TEST_MAIN("sim/time", cases)
