/* SPDX-License-Identifier: Apache-2.0 */
/* Whole agents on a virtual clock, a disk that loses what was not synced, a network that drops, delays, duplicates and
 * partitions, and a simulated API server; a seed decides all events and faults.
 *
 *     HF_SIM_SEEDS=N   number of seeds (default 200, or a sample of them: support/walk.h)
 *     HF_SIM_SEED=S    only this seed; HF_SIM_LOG=1 (or the name of a node) prints the agents' logs
 *
 * After every event: the installed and the running file are each one whole, signed, admitted release, for which the
 * node had its turn if the release needs turns; no status sequence goes back. At the end, without faults: each node
 * has reached the result of the last update, has reported it, and has cleaned up. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/edgeupdate.h"
#include "audit/segment.h"
#include "base/parse.h"
#include "support/check_main.h"
#include "support/fakes/apiserver_sim.h"
#include "support/fakes/metaserver_sim.h"
#include "support/fakes/simnode.h"
#include "support/walk.h"

#define STATE HF_SIMNODE_STATE
#define TARGET HF_SIMNODE_TARGET
#define UNIT HF_SIMNODE_UNIT
#define MINUTE (60 * HF_NS_PER_S)

enum { NODES = 2, RELEASES = 8, DEFAULT_SEEDS = 200 };

static const char *const tempers[RELEASES] = {"healthy", "healthy", "sick",    "slow",
                                              "healthy", "crash",   "healthy", "healthy"};
static struct hf_simsite *site;

/* Kind of release i in this world. */
enum kind { STRAIGHT, FORGED, STRANGER, EXPIRED, WRONG_HASH, NOT_ADMITTED, IN_TURNS, KIND_COUNT };
static const char *const kind_names[KIND_COUNT] = {"straight",   "forged",       "by a stranger", "expired",
                                                   "wrong hash", "not admitted", "in turns"};

struct world;

struct node {
    struct world *world;
    char name[16], server[64];
    struct hf_simnode *sim;
    struct hf_simmeta *meta; /* NULL: the API server itself */
    bool power;              /* the armed stop is a power cut */
    bool faulty;             /* its disk may fail */
    uint64_t checked_calls;
    int64_t sequence;         /* highest one that the API server has seen */
    bool turns[RELEASES + 1]; /* releases for which this node ever had a turn */
};

struct world {
    uint64_t seed;
    struct hf_simloop *loop;
    struct hf_simnet *net;
    struct hf_simapi *api;
    struct node nodes[NODES];
    enum kind kinds[RELEASES + 1];
    size_t published; /* the newest release in the object */
    char digest[65];  /* of the newest release if it needs turns, else "" */
    bool calm;        /* no new faults */
    bool duplicates;  /* proxies send requests twice */
    bool edge;        /* KubeEdge: every node behind its own MetaServer */
    char history[32768];
};

static void say(struct world *world, const char *format, ...) HF_PRINTF(2, 3);
static void say(struct world *world, const char *format, ...)
{
    size_t n = strlen(world->history);
    va_list args;

    n += (size_t)snprintf(world->history + n, sizeof(world->history) - n, "\n  %8.3f s  ",
                          (double)hf_simloop_now_ns(world->loop) / 1e9);
    n = HF_MIN(n, sizeof(world->history) - 1);
    va_start(args, format);
    (void)vsnprintf(world->history + n, sizeof(world->history) - n, format, args);
    va_end(args);
    if (getenv("HF_SIM_LOG") != NULL)
        (void)fprintf(stderr, "---- %s\n", strrchr(world->history, '\n'));
}

static void give_up(const struct world *world, const char *text)
{
    /* Check's own messages are short: details go to stderr. */
    (void)fprintf(stderr, "HF_SIM_SEED=%llu: %s%s\n", (unsigned long long)world->seed, text, world->history);
    ck_abort_msg("HF_SIM_SEED=%llu: %s", (unsigned long long)world->seed, text);
}

#define MUST(world, condition, ...)                                                                                    \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            char said_[512];                                                                                           \
            (void)snprintf(said_, sizeof(said_), __VA_ARGS__);                                                         \
            give_up((world), said_);                                                                                   \
        }                                                                                                              \
    } while (0)

/* ---- invariants -------------------------------------------------------------------------------------------------- */

static bool permitted(const struct world *world, size_t release)
{
    return release == 1 || (release > 1 && (world->kinds[release] == STRAIGHT || world->kinds[release] == IN_TURNS));
}

static void check_target(struct node *node)
{
    size_t n = 0, release;
    const void *bytes = hf_simfs_get(node->sim->fs, TARGET, &n);

    MUST(node->world, bytes != NULL, "%s: nothing at the path", node->name);
    release = hf_simsite_which(site, bytes, n);
    MUST(node->world, release != 0, "%s: %zu bytes at the path are no whole release: %.40s", node->name, n,
         (const char *)bytes);
    MUST(node->world, permitted(node->world, release), "%s: release %zu at the path, which was published %s",
         node->name, release, kind_names[node->world->kinds[release]]);
    MUST(node->world, node->world->kinds[release] != IN_TURNS || node->turns[release],
         "%s: release %zu at the path without a turn", node->name, release);
}

static void check_running(struct node *node)
{
    const char *line = hf_simboard_running(node->sim->board, UNIT);
    unsigned release = 0;

    if (line[0] == '\0')
        return;
    MUST(node->world, sscanf(line, "release edge 1.%u.0", &release) == 1 && permitted(node->world, release),
         "%s: runs '%s'", node->name, line);
}

static void end_life(struct node *node, bool power);

static void after_each(void *arg)
{
    struct world *world = arg;

    for (size_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        if (node->sim->alive && hf_simfs_stopped(node->sim->fs))
            end_life(node, node->power);
        if (hf_simfs_calls(node->sim->fs) != node->checked_calls)
            check_target(node);
        node->checked_calls = hf_simfs_calls(node->sim->fs);
        check_running(node);
    }
}

static void object_changed(void *arg, const char *type, const char *kind, json_t *object)
{
    struct world *world = arg;
    const char *name = hf_json_str_or(object, "metadata.name", "");

    if (strcmp(kind, "EdgeNode") != 0 || strcmp(type, "DELETED") == 0)
        return;
    for (size_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        int64_t sequence = hf_json_int_or(object, "status.sequence", 0);
        if (strcmp(node->name, name) != 0)
            continue;
        MUST(world, sequence >= node->sequence || world->duplicates, "%s: status number %lld after %lld", name,
             (long long)sequence, (long long)node->sequence);
        node->sequence = HF_MAX(node->sequence, sequence);
    }
}

/* ---- turns ------------------------------------------------------------------------------------------------------- */

static bool has_verdict(const char *phase)
{
    static const char *const ends[] = {"Committed", "RolledBack", "Rejected", "Incompatible"};

    for (size_t i = 0; i < HF_LEN(ends); i++)
        if (strcmp(phase, ends[i]) == 0)
            return true;
    return false;
}

/* The entry of the newest release in the node's report, or NULL. */
static const json_t *report_of(const json_t *edgenode, const char *digest)
{
    const json_t *entry = json_array_get(hf_json_at(edgenode, "status.updates"), 0);

    return strcmp(hf_json_str_or(entry, "digest", ""), digest) == 0 ? entry : NULL;
}

static void give_turn(struct node *node, const json_t *edgenode, const char *digest)
{
    struct world *world = node->world;
    json_t *copy = json_deep_copy(edgenode);

    ck_assert_int_eq(hf_json_put(copy, "spec.turns", json_pack("[{s:s, s:s}]", "release", "edge", "digest", digest)),
                     0);
    node->turns[world->published] = true;
    say(world, "%s: has its turn for release %zu", node->name, world->published);
    (void)hf_simapi_put(world->api, copy);
}

/* A small controller: one turn at a time, for a node that reports that it waits. */
static void give_turns(void *arg)
{
    struct world *world = arg;
    struct node *next = NULL;
    bool taken = false;

    for (size_t i = 0; world->digest[0] != '\0' && i < NODES; i++) {
        struct node *node = &world->nodes[i];
        const json_t *entry = report_of(hf_simapi_get(world->api, "EdgeNode", node->name), world->digest);
        if (node->turns[world->published] && !has_verdict(hf_json_str_or(entry, "phase", "")))
            taken = true;
        else if (strcmp(hf_json_str_or(entry, "reason", ""), "TurnPending") == 0)
            next = node;
    }
    if (next != NULL && !taken)
        give_turn(next, hf_simapi_get(world->api, "EdgeNode", next->name), world->digest);
    hf_simloop_post(world->loop, 2 * HF_NS_PER_S + hf_simloop_below(world->loop, 10 * HF_NS_PER_S), give_turns, world);
}

/* ---- processes --------------------------------------------------------------------------------------------------- */

static void begin_life(void *arg);

static void restart_later(struct node *node)
{
    hf_simloop_post(node->world->loop, HF_NS_PER_S + hf_simloop_below(node->world->loop, 20 * HF_NS_PER_S), begin_life,
                    node);
}

static void end_life(struct node *node, bool power)
{
    say(node->world, "%s: %s", node->name, power ? "power cut" : "killed");
    hf_simnode_end(node->sim, power);
    restart_later(node);
}

static void begin_life(void *arg)
{
    struct node *node = arg;
    struct hf_err err = HF_ERR_INIT;
    char text[600];

    if (hf_simnode_begin(node->sim, &err) == 0)
        return;
    /* Start again later, as a service manager does. The only valid cause is a failing disk. */
    MUST(node->world, node->faulty, "%s: does not start: %s", node->name, hf_err_text(&err, text, sizeof(text)));
    say(node->world, "%s: could not start", node->name);
    restart_later(node);
}

/* ---- faults ------------------------------------------------------------------------------------------------------ */

static void set_links(struct node *node, enum hf_simlink_state state)
{
    static const char *const names[] = {"up", "down", "silent"};
    struct hf_simloop *loop = node->world->loop;

    say(node->world, "%s: link %s", node->name, names[state]);
    if (node->meta == NULL) {
        hf_simnode_set_links(node->sim, state, state);
        return;
    }
    hf_simnode_set_links(node->sim, HF_SIM_LINK_UP, state);
    if (state == HF_SIM_LINK_UP)
        hf_simmeta_heal(node->meta, 30 * HF_NS_PER_S + hf_simloop_below(loop, 40 * HF_NS_PER_S));
    else
        hf_simmeta_cut(node->meta);
}

static void arm_crash(struct node *node)
{
    uint64_t n = 1 + hf_simloop_below(node->world->loop, 250);

    node->faulty = true;
    node->power = hf_simloop_below(node->world->loop, 2) == 0;
    hf_simfs_count_only(node->sim->fs, hf_simloop_below(node->world->loop, 2) == 0 ? HF_SIMFS_WRITES : HF_SIMFS_ALL);
    hf_simfs_stop_at(node->sim->fs, n);
    say(node->world, "%s: %s at file system call %llu from here", node->name, node->power ? "power cut" : "kill",
        (unsigned long long)n);
}

static void bad_link(struct node *node)
{
    struct hf_simloop *loop = node->world->loop;
    struct hf_simlink link = {.delay_min_ns = HF_NS_PER_MS,
                              .delay_max_ns = HF_NS_PER_MS + hf_simloop_below(loop, 2 * HF_NS_PER_S),
                              .bytes_per_s = hf_simloop_below(loop, 2) == 0 ? 0 : 2000 + hf_simloop_below(loop, 60000),
                              .chunk_max = hf_simloop_below(loop, 3000),
                              .break_ppm = (unsigned)hf_simloop_below(loop, 200000),
                              .duplicate_ppm = node->world->duplicates ? (unsigned)hf_simloop_below(loop, 200000) : 0};

    say(node->world, "%s: bad link", node->name);
    hf_simnode_set_quality(node->sim, &link);
}

static void wrong_clock(struct node *node)
{
    int64_t offset = (int64_t)hf_simloop_below(node->world->loop, 40 * 24 * 60 * MINUTE);

    if (hf_simloop_below(node->world->loop, 2) == 0)
        offset = -offset * 20;
    say(node->world, "%s: clock off by %lld s", node->name, (long long)(offset / (int64_t)HF_NS_PER_S));
    hf_simnode_set_clock(node->sim, offset);
}

static void sick_disk(struct node *node)
{
    static const int codes[] = {ENOSPC, EIO, EROFS, EDQUOT};
    struct hf_simloop *loop = node->world->loop;
    uint64_t n = 1 + hf_simloop_below(loop, 60), times = 1 + hf_simloop_below(loop, 5);
    int code = codes[hf_simloop_below(loop, HF_LEN(codes))];

    node->faulty = true;
    hf_simfs_count_only(node->sim->fs, HF_SIMFS_WRITES);
    hf_simfs_fail_at(node->sim->fs, n, code, times);
    say(node->world, "%s: %llu writes from the %lluth fail: %s", node->name, (unsigned long long)times,
        (unsigned long long)n, strerror(code));
}

static void disturb_node(struct node *node)
{
    struct hf_simloop *loop = node->world->loop;

    switch (hf_simloop_below(loop, node->meta != NULL ? 10 : 9)) {
    case 0:
    case 1:
        arm_crash(node);
        break;
    case 2:
        if (node->sim->alive)
            end_life(node, hf_simloop_below(loop, 2) == 0);
        break;
    case 3:
        set_links(node, HF_SIM_LINK_DOWN);
        break;
    case 4:
        set_links(node, HF_SIM_LINK_SILENT);
        break;
    case 5:
        set_links(node, HF_SIM_LINK_UP);
        break;
    case 6:
        bad_link(node);
        break;
    case 7:
        wrong_clock(node);
        break;
    case 8:
        sick_disk(node);
        break;
    default:
        say(node->world, "%s: EdgeCore restarts", node->name);
        hf_simmeta_restart(node->meta);
        break;
    }
}

static void disturb_server(struct world *world)
{
    switch (hf_simloop_below(world->loop, 6)) {
    case 0:
        say(world, "server refuses");
        hf_simnet_set_server(world->net, "https://api", HF_SIM_SERVER_REFUSING);
        break;
    case 1:
        say(world, "server silent");
        hf_simnet_set_server(world->net, "https://api", HF_SIM_SERVER_SILENT);
        break;
    case 2:
        say(world, "server up");
        hf_simnet_set_server(world->net, "https://api", HF_SIM_SERVER_UP);
        break;
    case 3:
        say(world, "history compacted");
        hf_simapi_compact(world->api);
        hf_simapi_expire_watches(world->api);
        break;
    case 4:
        say(world, "watches end");
        hf_simapi_end_watches(world->api);
        break;
    default:
        say(world, "server errors");
        hf_simapi_fail(world->api, 1 + (unsigned)hf_simloop_below(world->loop, 4),
                       hf_simloop_below(world->loop, 2) == 0 ? 503 : 429,
                       hf_simloop_below(world->loop, 20 * HF_NS_PER_S));
        break;
    }
}

static void disturb(void *arg)
{
    struct world *world = arg;

    if (world->calm)
        return;
    if (hf_simloop_below(world->loop, 5) == 0)
        disturb_server(world);
    else
        disturb_node(&world->nodes[hf_simloop_below(world->loop, NODES)]);
    hf_simloop_post(world->loop, HF_NS_PER_S + hf_simloop_below(world->loop, 40 * HF_NS_PER_S), disturb, world);
}

static void heal(struct world *world)
{
    static const struct hf_simlink good = {.delay_min_ns = HF_NS_PER_MS, .delay_max_ns = 5 * HF_NS_PER_MS};

    say(world, "everything is healed");
    world->calm = true;
    hf_simnet_set_server(world->net, "https://api", HF_SIM_SERVER_UP);
    hf_simapi_fail(world->api, 0, 0, 0);
    for (size_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        hf_simfs_stop_at(node->sim->fs, 0);
        hf_simfs_fail_at(node->sim->fs, 0, 0, 0);
        hf_simnode_set_quality(node->sim, &good);
        set_links(node, HF_SIM_LINK_UP);
        hf_simnode_set_clock(node->sim, 0);
    }
}

/* ---- the operator ------------------------------------------------------------------------------------------------ */

/* Without a strategy every node is admitted. */
static void admit(struct world *world, json_t *update, int cutoff, bool in_turns)
{
    struct hf_edgeupdate *decoded = NULL;
    struct hf_issues issues;

    ck_assert_int_eq(hf_json_put(update, "spec.strategy", json_pack("{s:[{s:i}]}", "waves", "percent", 100)), 0);
    if (in_turns)
        ck_assert_int_eq(hf_json_put(update, "spec.strategy.disruption.groupBy", json_string("zone")), 0);
    ck_assert_int_eq(hf_edgeupdate_decode(update, &decoded, &issues), 0);
    ck_assert_int_eq(
        hf_json_put(update, "status.admission",
                    json_pack("{s:s, s:i, s:b}", "digest", decoded->release.digest, "cutoff", cutoff, "canary", 0)),
        0);
    if (in_turns)
        (void)snprintf(world->digest, sizeof(world->digest), "%s", decoded->release.digest);
    hf_edgeupdate_free(decoded);
}

static void publish(struct world *world, size_t release)
{
    enum kind kind = world->kinds[release];
    struct hf_simsite_twist twist = {.forged = kind == FORGED,
                                     .other_key = kind == STRANGER,
                                     .wrong_hash = kind == WRONG_HASH,
                                     .expires = kind == EXPIRED ? "2026-11-19T00:00:00Z" : NULL,
                                     .exec_check = hf_simloop_below(world->loop, 2) == 0,
                                     .tcp_check = hf_simloop_below(world->loop, 2) == 0,
                                     .unit_check = hf_simloop_below(world->loop, 2) == 0};
    json_t *update = hf_simsite_update(site, release, &twist);

    world->digest[0] = '\0';
    if (kind == NOT_ADMITTED || kind == IN_TURNS)
        admit(world, update, kind == IN_TURNS ? 10000 : 0, kind == IN_TURNS);
    say(world, "release %zu (%s, %s) is published", release, tempers[release - 1], kind_names[kind]);
    (void)hf_simapi_put(world->api, update);
    world->published = release;
}

static void operate(void *arg)
{
    struct world *world = arg;

    if (world->calm || world->published >= RELEASES)
        return;
    publish(world, world->published + 1 + hf_simloop_below(world->loop, 2) * (world->published + 2 <= RELEASES));
    hf_simloop_post(world->loop, MINUTE + hf_simloop_below(world->loop, 6 * MINUTE), operate, world);
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static const char *phase_of(const json_t *status)
{
    return hf_json_str_or(json_array_get(json_object_get(status, "updates"), 0), "phase", "(none)");
}

static const char *expected_phase(const struct world *world)
{
    const char *temper = tempers[world->published - 1];

    switch (world->kinds[world->published]) {
    case STRAIGHT:
    case IN_TURNS:
        return strcmp(temper, "sick") == 0 || strcmp(temper, "crash") == 0 ? "RolledBack" : "Committed";
    case NOT_ADMITTED:
    case WRONG_HASH: /* rare new attempts: the publisher may replace the file */
        return "Waiting";
    default:
        return "Rejected";
    }
}

/* A node that lost its cache may get a rolled-back release again: it rejects the release. */
static bool as_expected(const struct world *world, const json_t *status)
{
    const char *expected = expected_phase(world), *phase = phase_of(status);
    const char *reason = hf_json_str_or(json_array_get(json_object_get(status, "updates"), 0), "reason", "");

    /* Behind a MetaServer only the wall clock says that the release has expired: the node waits for a second witness. */
    if (world->edge && world->kinds[world->published] == EXPIRED && strcmp(phase, "Waiting") == 0)
        return strcmp(reason, "ClockUnsure") == 0;
    return strcmp(phase, expected) == 0 || (strcmp(expected, "RolledBack") == 0 && strcmp(phase, "Rejected") == 0 &&
                                            strcmp(reason, "RolledBackBefore") == 0);
}

/* Reported times follow the server's clock, even if the node's own clock stays wrong. */
static void check_times(struct world *world, const json_t *status)
{
    uint64_t now = HF_SIM_UNIX_START + hf_simloop_now_ns(world->loop), last = 0;
    const char *text = hf_json_str_or(status, "contact.lastTime", "");

    MUST(world, hf_parse_time(text, &last) == 0 && last < now + 10 * HF_NS_PER_S && last + 3 * MINUTE > now,
         "contact.lastTime is %s", text);
}

static bool converged(void *arg)
{
    struct world *world = arg;

    for (size_t i = 0; i < NODES; i++) {
        const json_t *self = hf_simapi_get(world->api, "EdgeNode", world->nodes[i].name);
        const json_t *status = json_object_get(self, "status");
        if (!as_expected(world, status) ||
            hf_json_int_or(json_array_get(json_object_get(status, "updates"), 0), "sequence", 0) !=
                (int64_t)world->published ||
            strcmp(hf_json_str_or(status, "contact.state", ""), "Fresh") != 0)
            return false;
    }
    return true;
}

static void look_left_over(void *arg, const char *path, const struct stat *st)
{
    struct node *node = arg;
    const char *name = strrchr(path, '/') + 1;
    size_t n = strlen(name);

    (void)st;
    MUST(node->world, n < 4 || strcmp(name + n - 4, ".new") != 0, "%s: left behind: %s", node->name, path);
    MUST(node->world, strcmp(name, "outbox.json") != 0, "%s: the outbox was delivered and is still there", node->name);
    MUST(node->world, strstr(path, "/damaged") == NULL && strstr(path, ".damaged") == NULL, "%s: damaged: %s",
         node->name, path);
    long long most =
        strncmp(path, STATE "/journal/", strlen(STATE "/journal/")) == 0 ? HF_AUDIT_SEGMENT_BYTES : 16 * 1024;

    MUST(node->world, st->st_size < most || strncmp(path, STATE, strlen(STATE)) != 0,
         "%s: left behind: %s (%lld bytes)", node->name, path, (long long)st->st_size);
}

static void look_beside_target(void *arg, const char *path, const struct stat *st)
{
    struct node *node = arg;

    (void)st;
    bool kept = strstr(path, "/.holdfast-edge.kept") != NULL && strstr(path, ".new") == NULL;
    MUST(node->world, kept || strcmp(path, TARGET) == 0 || strcmp(path, "/opt/edge") == 0, "%s: left behind: %s",
         node->name, path);
}

static void check_end(struct node *node)
{
    struct world *world = node->world;
    size_t n = 0;
    const void *bytes = hf_simfs_get(node->sim->fs, TARGET, &n);
    size_t release = hf_simsite_which(site, bytes, n);
    char running[64];

    check_target(node);
    check_times(world, json_object_get(hf_simapi_get(world->api, "EdgeNode", node->name), "status"));
    if (strcmp(expected_phase(world), "Committed") == 0)
        MUST(world, release == world->published, "%s: committed, but release %zu is at the path", node->name, release);
    MUST(world, strcmp(tempers[release - 1], "healthy") == 0 || strcmp(tempers[release - 1], "slow") == 0,
         "%s: ends on release %zu, which is %s", node->name, release, tempers[release - 1]);
    (void)snprintf(running, sizeof(running), "release edge 1.%zu.0 %s", release, tempers[release - 1]);
    MUST(world, strcmp(hf_simboard_running(node->sim->board, UNIT), running) == 0, "%s: '%s' is at the path, '%s' runs",
         node->name, running, hf_simboard_running(node->sim->board, UNIT));
    hf_simfs_walk(node->sim->fs, STATE, look_left_over, node);
    hf_simfs_walk(node->sim->fs, "/opt/edge", look_beside_target, node);
}

/* ---- a world ----------------------------------------------------------------------------------------------------- */

static void set_up_node(struct world *world, size_t i)
{
    struct node *node = &world->nodes[i];
    const char *wanted = getenv("HF_SIM_LOG");
    char text[256];

    node->world = world;
    (void)snprintf(node->name, sizeof(node->name), "node-%zu", i + 1);
    (void)snprintf(node->server, sizeof(node->server), "https://api");
    if (world->edge) { /* one MetaServer for each node on its loopback, each with its own port */
        (void)snprintf(node->server, sizeof(node->server), "http://127.0.0.1:1055%zu", i);
        node->meta = hf_simmeta_new(world->loop, world->net, world->api, node->server);
    }
    struct hf_simnode_params params = {.loop = world->loop,
                                       .net = world->net,
                                       .site = site,
                                       .name = node->name,
                                       .server = node->server,
                                       .api = world->edge ? HF_KUBE_METASERVER : HF_KUBE_AUTO,
                                       .log = wanted != NULL &&
                                              (strcmp(wanted, "1") == 0 || strcmp(wanted, node->name) == 0)};
    node->sim = hf_simnode_new(&params);
    (void)snprintf(
        text, sizeof(text),
        "{\"apiVersion\":\"v1\",\"kind\":\"Node\",\"metadata\":{\"name\":\"%s\",\"labels\":{\"kubernetes.io/arch\":"
        "\"amd64\"}}}",
        node->name);
    (void)hf_simapi_put_text(world->api, text);
}

static void set_up(struct world *world, uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    world->seed = seed;
    world->loop = hf_simloop_new(seed);
    world->net = hf_simnet_new(world->loop);
    world->api = hf_simapi_new(world->loop, world->net, "https://api");
    world->duplicates = seed % 4 == 3;
    world->edge = seed % 3 == 2;
    hf_simapi_on_change(world->api, object_changed, world);
    hf_simsite_serve(site, world->net);
    for (size_t i = 2; i <= RELEASES; i++)
        world->kinds[i] =
            hf_simloop_below(world->loop, 2) == 0 ? STRAIGHT : (enum kind)hf_simloop_below(world->loop, KIND_COUNT);
    (void)hf_simapi_put_text(world->api,
                             "{\"apiVersion\":\"" HF_API_GROUP_VERSION
                             "\",\"kind\":\"SyncPolicy\",\"metadata\":{\"name\":\"all\"},"
                             "\"spec\":{\"interval\":\"60s\",\"retryInterval\":\"10s\",\"timeout\":\"30s\"}}");
    for (size_t i = 0; i < NODES; i++)
        set_up_node(world, i);
    hf_simloop_after_each(world->loop, after_each, world);
}

static void tear_down(struct world *world)
{
    for (size_t i = 0; i < NODES; i++) {
        hf_simnode_free(world->nodes[i].sim);
        hf_simmeta_free(world->nodes[i].meta);
    }
    hf_simapi_free(world->api);
    hf_simnet_free(world->net);
    hf_simloop_free(world->loop);
}

static uint64_t seed_from_environment(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text == NULL || text[0] == '\0' ? fallback : strtoull(text, NULL, 10);
}

static void describe(struct world *world)
{
    for (size_t i = 0; i < NODES; i++) {
        json_t *self = hf_simapi_get(world->api, "EdgeNode", world->nodes[i].name);
        char *text = self == NULL ? NULL : json_dumps(json_object_get(self, "status"), JSON_COMPACT);
        say(world, "%s: %s%.900s", world->nodes[i].name, world->nodes[i].sim->alive ? "" : "(not alive) ",
            text != NULL ? text : "(no EdgeNode)");
        free(text);
    }
}

static bool no_try_under_way(void *arg)
{
    struct world *world = arg;
    struct stat st;

    for (size_t i = 0; i < NODES; i++)
        if (hf_simfs_stat(world->nodes[i].sim->fs, "/opt/edge/.holdfast-edge.part", &st))
            return false;
    return true;
}

START_TEST(a_world)
{
    static struct world world;

    set_up(&world, seed_from_environment("HF_SIM_SEED", (uint64_t)_i + 1));
    for (size_t i = 0; i < NODES; i++)
        begin_life(&world.nodes[i]);
    hf_simloop_post(world.loop, 5 * HF_NS_PER_S, operate, &world);
    hf_simloop_post(world.loop, 5 * HF_NS_PER_S, give_turns, &world);
    hf_simloop_post(world.loop, 10 * HF_NS_PER_S, disturb, &world);
    (void)hf_simloop_run_for(world.loop, 20 * MINUTE);
    heal(&world);
    bool met = hf_simloop_run_until(world.loop, converged, &world, 20 * MINUTE);
    for (size_t i = 0; !met && i < NODES; i++)
        say(&world, "node-%zu: release %zu lies there, %zu runs", i + 1, hf_simnode_installed(world.nodes[i].sim),
            hf_simnode_running(world.nodes[i].sim));
    if (!met)
        describe(&world);
    MUST(&world, met, "no convergence: release %zu should be %s", world.published, expected_phase(&world));
    /* Behind a MetaServer the next list confirms that a status arrived. */
    (void)hf_simloop_run_for(world.loop, 4 * MINUTE);
    MUST(&world, converged(&world), "it did not stay so");
    /* Not in the middle of a new attempt with a wrong file. */
    (void)hf_simloop_run_until(world.loop, no_try_under_way, &world, 2 * MINUTE);
    for (size_t i = 0; i < NODES; i++)
        check_end(&world.nodes[i]);
    tear_down(&world);
}
END_TEST

static void make_site(void)
{
    site = hf_simsite_new("edge", RELEASES, tempers);
}

static void free_site(void)
{
    hf_simsite_free(site);
}

static void cases(TCase *tc)
{
    uint64_t seeds = getenv("HF_SIM_SEED") != NULL ? 1 : seed_from_environment("HF_SIM_SEEDS", DEFAULT_SEEDS);

    tcase_add_unchecked_fixture(tc, make_site, free_site);
    if (seeds == DEFAULT_SEEDS)
        hf_walk_add_loop_test(tc, a_world, seeds);
    else
        tcase_add_loop_test(tc, a_world, 0, (int)seeds);
}

HF_TEST_MAIN("sim/agent", cases)
