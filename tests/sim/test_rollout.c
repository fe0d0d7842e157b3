/* SPDX-License-Identifier: Apache-2.0 */
/* A fleet under the real rollout engine: thousands of nodes, lost, late, repeated and reordered reports, nodes that
 * are away, leaders that fail over while a slow former one still writes, clocks that lie. A seed decides all of it.
 *
 *     HF_SIM_SEEDS=N   number of seeds (default 40), of which a sample runs (support/walk.h)
 *     HF_SIM_NODES=N   nodes of one fleet (default 300; one seed in forty has 10,000)
 *     HF_SIM_SEED=S    only this seed
 *     HF_SIM_FIRST=S   first seed (default 0)
 *
 * Real: pkg/rollout as the controller runs it; the node's choice and admission (sync/plan, api/admission); the table
 * of phases of the update machine. Light: downloads, patches and health checks are delays; the API server is a list of
 * versions with resourceVersion semantics (409 on a conflict) and ordered watches.
 *
 * Always: waves open in their order, one at a time, each once, after its soak; no wave opens while more nodes have
 * failed than allowed, or fewer nodes of the stage have updated than strategy.minUpdated asks for; no node begins
 * without an admission that was once written; never more nodes of a site than allowed are between swap and verdict;
 * epochs never go back. In the end a bad release is halted, and a good one is on every node. In one fleet of three, an
 * EdgeUpdate of the same release name and a higher sequence takes every twelfth node over while the rollout goes on: it
 * takes them all, and the rollout waits for none of them. In another of three, such an EdgeUpdate selects all nodes,
 * and none of them accepts its signatures: it changes nothing. Fleets with liars (nodes that report any phase) set
 * strategy.progressDeadline, because a liar can report for ever that it is at work; one that says that it waits can
 * still keep the last stage from completing.
 *
 * In one fleet of five, the API server is once away for longer than unknownAfter. Its agents come back over five
 * minutes, and the leader may not take any of them for silent because of that time.
 *
 * In one fleet of six, the EdgeUpdate selects a quarter of the nodes at first, with or without the canaries. Somebody
 * widens the nodeSelector to all nodes, in the middle of the rollout or after its end: the rollout begins anew, and the
 * other nodes get the release by its stages. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/admission.h"
#include "base/array.h"
#include "base/format.h"
#include "controller/fleet/sight.h"
#include "rollout/engine.h"
#include "rollout/rollout.h"
#include "support/check_main.h"
#include "support/walk.h"
#include "sync/plan.h"
#include "update/rules/machine.h"

#define SECOND HF_NS_PER_S
#define MINUTE (60 * SECOND)
#define UNIX_START (1790000000ull * SECOND)

enum {
    DEFAULT_SEEDS = 40,
    DEFAULT_NODES = 300,
    BIG_NODES = 10000,
    BLOCK = 10,
    ZONE_NODES = 4,
    CONTROLLERS = 16,
    LABELS = 8
};

/* Shared by the processes of all tests. */
static struct {
    unsigned worlds, good, bad, halts_at[5], failovers, conflicts, late_writes, unknown, parked, turns, reports, fewer,
        lonely, taken, refused, held, outages, widened;
    double good_end_s, settled_s;
} * totals;

/* ---- the world --------------------------------------------------------------------------------------------------- */

enum wait { NO_WAIT, NOT_ADMITTED, TURN_PENDING, RETRYING, DISTURBED, BROKEN };

/* What the API server has of one EdgeNode. */
struct stored {
    uint64_t version, observed_unix_ns;
    uint32_t sequence, epoch;
    uint8_t phase, wait, has_turn, has_status, is_hot;
};

struct node {
    char name[24];
    const json_t *labels;
    unsigned zone, slot;
    bool is_first; /* the EdgeUpdate selects it from the start */
    bool canary, broken, disturbed, liar, away, gone_long, began, busy, is_admitted;
    bool hot_label, sees_hot, is_hot; /* the newer EdgeUpdate selects it; it has read that; it has begun that release */
    uint32_t sequence, seen;          /* version of the EdgeUpdate that the node has cached */
    enum hf_phase phase;
    enum wait wait;
    bool turn, unsent;
    int64_t clock_lie_ns;
    struct stored stored;
    uint32_t best_sequence; /* of the reports that have arrived, and what that report says */
    enum hf_phase best_phase;
    bool best_failed; /* it says that the release failed */
    uint64_t heard_ns;
    uint64_t failed_ns;              /* when the server learned of the failure; 0: not */
    uint64_t committed_ns, broke_ns; /* when the server first read that it has committed, or has begun to roll back */
};

enum event_kind {
    SEES,
    SEES_HOT,
    STEPS,
    BEATS,
    ARRIVES,
    LEAVES,
    RETURNS,
    SEES_TURN,
    GETS_REFUSED,
    TICKS,
    WRITES,
    ANSWERS,
    FAILS_OVER,
    HEALS,
    GETS_HOT,
    WIDENS,
    API_LEAVES,
    API_RETURNS
};

struct event {
    uint64_t at_ns;
    uint32_t order, who;
    enum event_kind kind;
    union {
        struct stored stored;
        struct write *write;
        uint32_t number;
    } with;
};

/* A request of a controller on its way, then its answer. */
struct write {
    enum hf_rollout_effect_kind kind;
    uint64_t id, decided_ns;
    char name[64];
    json_t *body, *answer;
    int r;
    bool answer_lost;
};

/* One change that watches deliver. */
struct change {
    uint64_t at_ns;
    uint32_t node; /* UINT32_MAX: the EdgeUpdate */
    struct stored stored;
    json_t *update;
};

struct controller {
    struct hf_rollout_engine *engine;
    size_t cursor;
    uint64_t epoch, lag_ns, die_ns, since_ns;
    int64_t clock_lie_ns;
    bool blind; /* a former leader whose watch brings nothing */
    struct hf_sight sight;
};

/* The most that was ever written. */
struct admitted {
    unsigned cutoff;
    bool canary;
};

static struct world {
    uint64_t seed, random, now_ns;
    unsigned n, max_unavailable;
    bool is_bad, has_turns, healed;
    struct node *nodes;
    unsigned *zone_busy, n_zones;
    json_t **labels;
    struct event *heap;
    size_t n_heap, cap_heap;
    uint32_t order;
    uint64_t version, update_version;
    json_t *update, *hot; /* hot: the newer EdgeUpdate of the same release; NULL until it is there */
    uint64_t hot_version, hot_ns;
    unsigned n_hot;
    bool wants_hot;
    struct hf_edgeupdate *hot_decoded;
    json_t
        *refused; /* a newer EdgeUpdate of the same release whose signatures no node accepts; NULL until it is there */
    uint64_t refused_version;
    struct hf_edgeupdate *refused_decoded;
    char hot_digest[65];
    struct hf_edgeupdate *versions[64];
    size_t n_versions;
    struct change *changes;
    size_t n_changes, cap_changes;
    struct controller controllers[CONTROLLERS];
    size_t n_controllers, leader;
    uint64_t left_ns, back_ns;      /* the API server is away between these times; both 0: it never is */
    bool widens;                    /* the nodeSelector changes once */
    unsigned selector;              /* 1 since then */
    char selectors[2][17];          /* hashes */
    struct admitted admitted[2];    /* by selector */
    uint64_t settled_ns, opened_ns; /* times of the last stage that settled, and of the last one that opened */
    unsigned min_percent;           /* strategy.minUpdated */
    uint64_t min_after_ns;          /* strategy.minUpdatedAfter; 0: none */
    unsigned stages;
    char digest[65];
} w;

static uint64_t dice(void)
{
    uint64_t z = w.random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t n)
{
    return n == 0 ? 0 : dice() % n;
}

static bool chance(unsigned percent)
{
    return below(100) < percent;
}

/* ---- the queue of events ----------------------------------------------------------------------------------------- */

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static struct event *push(uint64_t in_ns, enum event_kind kind, uint32_t who)
{
    ck_assert_int_eq(hf_array_grow(w.heap, w.n_heap, w.cap_heap, HF_ARRAY_ANY), 0);
    size_t i = w.n_heap++;
    struct event event = {.at_ns = w.now_ns + in_ns, .order = w.order++, .kind = kind, .who = who};

    for (; i > 0 && earlier(&event, &w.heap[(i - 1) / 2]); i = (i - 1) / 2)
        w.heap[i] = w.heap[(i - 1) / 2];
    w.heap[i] = event;
    return &w.heap[i];
}

static struct event pop(void)
{
    struct event first = w.heap[0], last = w.heap[--w.n_heap];
    size_t i = 0;

    for (size_t child = 1; child < w.n_heap; child = 2 * i + 1) {
        if (child + 1 < w.n_heap && earlier(&w.heap[child + 1], &w.heap[child]))
            child++;
        if (!earlier(&w.heap[child], &last))
            break;
        w.heap[i] = w.heap[child];
        i = child;
    }
    w.heap[i] = last;
    return first;
}

/* ---- an outage of the API server --------------------------------------------------------------------------------- */

static bool api_is_away(void)
{
    return w.now_ns >= w.left_ns && w.now_ns < w.back_ns;
}

/* When something that needs the API server, and that would happen now, happens instead. */
static uint64_t after_outage(void)
{
    return w.back_ns - w.now_ns + below(5 * MINUTE);
}

/* The time for which a leader could hear nodes until `at_ns`. */
static uint64_t sighted(uint64_t at_ns)
{
    uint64_t end_ns = w.back_ns + HF_SIGHT_RETURN_NS;

    if (w.back_ns == 0 || at_ns <= w.left_ns)
        return at_ns;
    return at_ns < end_ns ? w.left_ns : at_ns - (end_ns - w.left_ns);
}

/* ---- the API server ---------------------------------------------------------------------------------------------- */

static void log_change(uint32_t node, const struct stored *stored, json_t *update)
{
    ck_assert_int_eq(hf_array_grow(w.changes, w.n_changes, w.cap_changes, HF_ARRAY_ANY), 0);
    w.changes[w.n_changes++] = (struct change){.at_ns = w.now_ns, .node = node, .update = json_incref(update)};
    if (stored != NULL)
        w.changes[w.n_changes - 1].stored = *stored;
}

static const char *wait_name(uint8_t wait)
{
    static const char *const names[] = {"HealthPending", "NotAdmitted",   "TurnPending",
                                        "RetryingLater", "TargetChanged", "HealthDeadline"};

    return names[wait];
}

static json_t *edgenode_json(uint32_t i, const struct stored *stored)
{
    const struct node *node = &w.nodes[i];
    char version[24], observed[HF_TIME_TEXT];
    json_t *turns = stored->has_turn ? json_pack("[{s:s, s:s}]", "release", "sim", "digest", w.digest) : json_array();
    json_t *json;

    (void)snprintf(version, sizeof(version), "%ju", (uintmax_t)stored->version);
    json = json_pack("{s:{s:s, s:s}, s:{s:I, s:o}}", "metadata", "name", node->name, "resourceVersion", version, "spec",
                     "epoch", (json_int_t)stored->epoch, "turns", turns);
    if (stored->has_status)
        ck_assert_int_eq(
            json_object_set_new(
                json, "status",
                json_pack("{s:I, s:s, s:{s:s}, s:[{s:s, s:s, s:s, s:s}]}", "sequence", (json_int_t)stored->sequence,
                          "observedTime", hf_format_time(stored->observed_unix_ns, observed), "policy", "interval",
                          "15m", "updates", "name", "sim", "digest", stored->is_hot ? w.hot_digest : w.digest, "phase",
                          hf_phase_name((enum hf_phase)stored->phase), "reason", wait_name(stored->wait))),
            0);
    return json;
}

/* A rollback for a disturbed probation is no verdict: the node tries again. */
static bool says_failed(const struct stored *report)
{
    return report->phase == HF_PHASE_ROLLED_BACK || (report->phase == HF_PHASE_ROLLING_BACK && report->wait == BROKEN);
}

/* A report reaches the server, which knows no order of reports. */
static void report_arrives(uint32_t i, const struct stored *report)
{
    struct node *node = &w.nodes[i];
    struct stored *stored = &node->stored;

    stored->observed_unix_ns = report->observed_unix_ns;
    stored->sequence = report->sequence;
    stored->phase = report->phase;
    stored->wait = report->wait;
    stored->is_hot = report->is_hot;
    stored->has_status = 1;
    stored->version = ++w.version;
    totals->reports++;
    log_change(i, stored, NULL);
    if (report->sequence > node->best_sequence) {
        node->best_sequence = report->sequence;
        node->best_phase = (enum hf_phase)report->phase;
        node->best_failed = says_failed(report);
        node->heard_ns = w.now_ns;
    }
    if (report->is_hot)
        return;
    if (report->phase == HF_PHASE_ROLLED_BACK && node->failed_ns == 0)
        node->failed_ns = w.now_ns;
    if (report->phase == HF_PHASE_COMMITTED && node->committed_ns == 0)
        node->committed_ns = w.now_ns;
    if (says_failed(report) && node->broke_ns == 0)
        node->broke_ns = w.now_ns;
}

static void see_update(void)
{
    struct hf_edgeupdate *decoded = NULL;
    struct hf_issues issues;

    ck_assert_int_eq(hf_edgeupdate_decode(w.update, &decoded, &issues), 0);
    const struct hf_edgeupdate *last = w.n_versions > 0 ? w.versions[w.n_versions - 1] : NULL;
    if (last != NULL && strcmp(last->admission_digest, decoded->admission_digest) == 0 &&
        last->admission_cutoff == decoded->admission_cutoff && last->admission_canary == decoded->admission_canary &&
        strcmp(last->admission_selector, decoded->admission_selector) == 0 &&
        strcmp(last->selector_hash, decoded->selector_hash) == 0) {
        hf_edgeupdate_free(decoded);
        return;
    }
    ck_assert_uint_lt(w.n_versions, HF_LEN(w.versions));
    w.versions[w.n_versions++] = decoded;
    for (uint32_t i = 0; i < w.n && w.nodes != NULL; i++)
        if (!w.nodes[i].away)
            push(below(20 * SECOND), SEES, i)->with.number = (uint32_t)w.n_versions - 1;
}

static bool selects(unsigned selector, const struct node *node)
{
    return !w.widens || selector > 0 || node->is_first;
}

static unsigned reached_nodes(unsigned cutoff)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < w.n; i++)
        n += selects(w.selector, &w.nodes[i]) && (w.nodes[i].canary || w.nodes[i].slot < cutoff);
    return n;
}

/* Also those that an earlier nodeSelector's rollout has reached. */
static unsigned begun_nodes(unsigned cutoff)
{
    unsigned n = reached_nodes(cutoff);

    for (uint32_t i = 0; i < w.n && w.widens; i++)
        n += w.nodes[i].began && !w.nodes[i].canary && w.nodes[i].slot >= cutoff;
    return n;
}

/* The failures that the deciding leader could know. */
static unsigned known_failures(uint64_t until_ns)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < w.n; i++)
        n += w.nodes[i].failed_ns != 0 && w.nodes[i].failed_ns <= until_ns;
    return n;
}

/* For the leader: one that has come after the outage does not know of it. */
static uint64_t silent_ns(const struct node *node, uint64_t now_ns)
{
    bool knows = w.controllers[w.leader].since_ns < w.back_ns;

    return knows ? sighted(now_ns) - sighted(node->heard_ns) : now_ns - node->heard_ns;
}

/* A stage settles only when every node that it reaches, and that the leader has heard of late, has a verdict. Nodes and
 * leaders whose clocks lie are left out: after a failover such a node may count as away until its next report. */
static void check_settles(unsigned cutoff, uint64_t decided_ns)
{
    for (uint32_t i = 0; i < w.n && w.controllers[w.leader].clock_lie_ns == 0; i++) {
        const struct node *node = &w.nodes[i];
        bool has_verdict = node->best_phase == HF_PHASE_COMMITTED || node->best_failed;
        if (!selects(w.selector, node) || node->liar || (node->hot_label && w.hot != NULL) || node->clock_lie_ns != 0 ||
            !(node->canary || node->slot < cutoff) || node->heard_ns == 0 || node->heard_ns + 3 * SECOND > decided_ns ||
            silent_ns(node, decided_ns) > 38 * MINUTE)
            continue;
        ck_assert_msg(has_verdict, "seed %ju: cutoff %u settles at %ju s, and %s says %s since %ju s",
                      (uintmax_t)w.seed, cutoff, (uintmax_t)(decided_ns / SECOND), node->name,
                      hf_phase_name(node->best_phase), (uintmax_t)(node->heard_ns / SECOND));
    }
}

static bool was_known(uint64_t since_ns, uint64_t decided_ns)
{
    return since_ns != 0 && since_ns <= decided_ns;
}

struct evidence {
    unsigned nodes, updated, failed, wanted;
};

/* What the API server had been told of the nodes of one stage, with or without those that a newer EdgeUpdate takes. A
 * liar counts as whatever it likes. */
static struct evidence evidence_of(const struct hf_rollout_state *state, uint64_t decided_ns, bool with_hot)
{
    struct evidence sum = {0};

    for (uint32_t i = 0; i < w.n; i++) {
        const struct node *node = &w.nodes[i];
        if (!selects(w.selector, node) || node->canary != (state->cutoff == 0) ||
            (!node->canary && (node->slot < state->slots_before || node->slot >= state->slots)) ||
            (node->hot_label && !with_hot))
            continue;
        sum.nodes++;
        sum.updated += node->liar || was_known(node->committed_ns, decided_ns);
        sum.failed += !node->liar && was_known(node->broke_ns, decided_ns);
    }
    sum.wanted = HF_MIN(HF_MAX((sum.nodes * w.min_percent + 99) / 100, 1u), sum.nodes - sum.failed);
    return sum;
}

/* A stage settles only on the successes that strategy.minUpdated asks for. A former leader may not know the newer
 * EdgeUpdate yet, so that one of the two views must hold. */
static void check_evidence(const struct hf_rollout_state *state, uint64_t decided_ns)
{
    struct evidence all = evidence_of(state, decided_ns, true), cold = all;
    bool has_waited = w.min_after_ns != 0 && w.now_ns - w.opened_ns >= w.min_after_ns;

    if (w.hot != NULL)
        cold = evidence_of(state, decided_ns, false);
    totals->lonely += cold.updated + cold.failed < cold.nodes;
    totals->fewer += cold.updated < cold.wanted && all.updated < all.wanted;
    if (has_waited) {
        all.wanted = HF_MIN(all.wanted, 1u);
        cold.wanted = HF_MIN(cold.wanted, 1u);
    }
    ck_assert_msg(all.updated >= all.wanted || cold.updated >= cold.wanted,
                  "seed %ju: cutoff %u settles with %u of %u nodes, and %u %% are needed", (uintmax_t)w.seed,
                  state->cutoff, cold.updated, cold.nodes, w.min_percent);
}

/* A wave admits its share of the nodes and no more, and goes back on no earlier wave. */
static void check_share(const struct hf_rollout_state *before, const struct hf_rollout_state *state)
{
    unsigned selected = reached_nodes(HF_ROLLOUT_ALL_SLOTS), reached = reached_nodes(state->slots);
    unsigned share = HF_MAX(selected * state->cutoff / HF_ROLLOUT_ALL_SLOTS, 1u);

    ck_assert_msg(state->slots_before == before->slots && state->slots >= before->slots, "seed %ju: from slot %u to %u",
                  (uintmax_t)w.seed, before->slots, state->slots);
    ck_assert_msg(reached <= HF_MAX(share, reached_nodes(before->slots)), "seed %ju: %u of %u nodes at %u",
                  (uintmax_t)w.seed, reached, selected, state->cutoff);
}

/* What must hold whenever somebody writes the status. */
static void check_update(const json_t *old, const json_t *new, uint64_t decided_ns)
{
    static const unsigned order[] = {0, 500, 2500, 10000};
    struct hf_rollout_state a, b;
    unsigned i = 0;

    hf_rollout_state_decode(hf_json_at(old, "rollout"), &a);
    hf_rollout_state_decode(hf_json_at(new, "rollout"), &b);
    ck_assert_msg(b.epoch >= a.epoch, "seed %ju: epoch %ju after %ju", (uintmax_t)w.seed, (uintmax_t)b.epoch,
                  (uintmax_t)a.epoch);
    unsigned admitted = (unsigned)hf_json_int_or(new, "admission.cutoff", 0);
    bool canary = hf_json_bool_or(new, "admission.canary", false);
    const char *selector = hf_json_str_or(new, "admission.selector", "");
    ck_assert_msg(strcmp(selector, w.selectors[w.selector]) == 0, "seed %ju: admission for selector %s",
                  (uintmax_t)w.seed, selector);
    ck_assert_msg(admitted == 0 || (admitted == b.slots && !b.halted), "seed %ju: admission %u, reached %u",
                  (uintmax_t)w.seed, admitted, b.slots);
    struct admitted *most = &w.admitted[w.selector];
    most->cutoff = HF_MAX(most->cutoff, admitted);
    most->canary = most->canary || canary;
    if (strcmp(hf_json_str_or(old, "admission.selector", selector), selector) != 0) {
        ck_assert_msg(b.cutoff == 0 && b.slots == 0 && !b.settled && admitted == 0 && !canary,
                      "seed %ju: another nodeSelector, and cutoff %u", (uintmax_t)w.seed, b.cutoff);
        ck_assert_msg(b.halted || !a.halted, "seed %ju: another nodeSelector ends a halt", (uintmax_t)w.seed);
        w.opened_ns = w.now_ns;
        return;
    }
    if (b.cutoff == a.cutoff) {
        ck_assert_msg(!a.settled || b.settled, "seed %ju: the stage is open again", (uintmax_t)w.seed);
        if (b.settled && !a.settled) {
            w.settled_ns = w.now_ns;
            check_settles(b.slots, decided_ns);
            check_evidence(&b, decided_ns);
        }
        return;
    }
    while (i < HF_LEN(order) && order[i] != a.cutoff)
        i++;
    ck_assert_msg(i + 1 < HF_LEN(order) && order[i + 1] == b.cutoff, "seed %ju: from %u to %u", (uintmax_t)w.seed,
                  a.cutoff, b.cutoff);
    ck_assert_msg(a.settled && w.now_ns - w.settled_ns >= 5 * MINUTE, "seed %ju: cutoff %u soaked for %ju s",
                  (uintmax_t)w.seed, a.cutoff, (uintmax_t)((w.now_ns - w.settled_ns) / SECOND));
    unsigned failed = known_failures(decided_ns > 3 * SECOND ? decided_ns - 3 * SECOND : 0);
    ck_assert_msg(failed * 100 <= 2 * begun_nodes(a.slots), "seed %ju: %u of %u failed, and cutoff %u opens",
                  (uintmax_t)w.seed, failed, begun_nodes(a.slots), b.cutoff);
    check_share(&a, &b);
    w.stages++;
    w.opened_ns = w.now_ns;
}

static void put_version(json_t *object, uint64_t version)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%ju", (uintmax_t)version);
    ck_assert_int_eq(hf_json_put(object, "metadata.resourceVersion", json_string(text)), 0);
}

static int write_update(struct write *write)
{
    bool is_hot = strcmp(write->name, "sim-hot") == 0, is_refused = strcmp(write->name, "sim-refused") == 0;
    json_t **object = is_hot ? &w.hot : is_refused ? &w.refused : &w.update, *next;
    uint64_t *version = is_hot ? &w.hot_version : is_refused ? &w.refused_version : &w.update_version;

    if (strtoull(hf_json_str_or(write->body, "metadata.resourceVersion", "0"), NULL, 10) != *version)
        return -ESTALE;
    if (!is_hot && !is_refused)
        check_update(json_object_get(w.update, "status"), json_object_get(write->body, "status"), write->decided_ns);
    next = json_copy(*object);
    ck_assert_int_eq(json_object_set_new(next, "metadata", json_deep_copy(json_object_get(*object, "metadata"))), 0);
    ck_assert_int_eq(json_object_set(next, "status", json_object_get(write->body, "status")), 0);
    json_decref(*object);
    *object = next;
    put_version(next, *version = ++w.version);
    log_change(UINT32_MAX, NULL, next);
    if (!is_hot && !is_refused)
        see_update();
    write->answer = json_incref(next);
    return 0;
}

static int write_turns(struct write *write)
{
    uint32_t i = (uint32_t)strtoul(write->name + 5, NULL, 10);
    struct stored *stored = &w.nodes[i].stored;
    uint32_t epoch = (uint32_t)hf_json_int_or(write->body, "spec.epoch", 0);

    if (strtoull(hf_json_str_or(write->body, "metadata.resourceVersion", "0"), NULL, 10) != stored->version)
        return -ESTALE;
    ck_assert_msg(epoch >= stored->epoch, "seed %ju: %s has epoch %u after %u", (uintmax_t)w.seed, write->name, epoch,
                  stored->epoch);
    stored->epoch = epoch;
    stored->has_turn = json_array_size(hf_json_at(write->body, "spec.turns")) > 0;
    stored->version = ++w.version;
    totals->turns += stored->has_turn;
    log_change(i, stored, NULL);
    if (!w.nodes[i].away)
        (void)push(below(10 * SECOND), SEES_TURN, i);
    write->answer = edgenode_json(i, stored);
    return 0;
}

static void write_arrives(uint32_t controller, struct write *write)
{
    if (api_is_away()) {
        write->answer_lost = true;
        push(10 * SECOND, ANSWERS, controller)->with.write = write;
        return;
    }
    if (w.controllers[controller].epoch < w.controllers[w.leader].epoch)
        totals->late_writes++;
    write->r = write->kind == HF_ROLLOUT_STATUS ? write_update(write) : write_turns(write);
    totals->conflicts += write->r == -ESTALE;
    push(write->answer_lost ? 10 * SECOND : 1 + below(2 * SECOND), ANSWERS, controller)->with.write = write;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static bool has_begun(void *arg, const char *release, const char *digest)
{
    const struct node *node = arg;

    (void)release;
    return node->phase != HF_PHASE_IDLE && node->phase != HF_PHASE_WAITING &&
           strcmp(digest, node->is_hot ? w.hot_digest : w.digest) == 0;
}

static void send(uint32_t i)
{
    struct node *node = &w.nodes[i];
    struct stored report = {.sequence = ++node->sequence, .phase = (uint8_t)node->phase, .wait = (uint8_t)node->wait};

    report.is_hot = node->is_hot;
    report.observed_unix_ns = UNIX_START + w.now_ns + (uint64_t)node->clock_lie_ns;
    if (node->liar) {
        static const uint8_t lies[] = {HF_PHASE_COMMITTED, HF_PHASE_PROBATION, HF_PHASE_WAITING, HF_PHASE_VERIFIED};
        report.phase = lies[below(HF_LEN(lies))];
        report.wait = (uint8_t)below(4);
        report.sequence = chance(50) ? report.sequence : (uint32_t)below(1000);
    }
    node->unsent = node->away || api_is_away() || chance(10);
    if (node->away)
        return;
    if (api_is_away()) {
        push(after_outage(), BEATS, i)->with.number = 1;
        return;
    }
    if (node->unsent) {
        push(30 * SECOND + below(30 * SECOND), BEATS, i)->with.number = 1;
        return;
    }
    push(SECOND / 20 + below(chance(10) ? 90 * SECOND : 5 * SECOND), ARRIVES, i)->with.stored = report;
    if (chance(5))
        push(below(300 * SECOND), ARRIVES, i)->with.stored = report;
}

static void enter(uint32_t i, enum hf_update_event event, uint64_t work_ns)
{
    struct node *node = &w.nodes[i];
    struct hf_steer_move move = hf_steer_table_move(&hf_update_table, node->phase, event);

    ck_assert_msg(move.known, "%s in %s", hf_steer_table_event_name(&hf_update_table, event),
                  hf_phase_name(node->phase));
    node->phase = move.next;
    node->wait = move.next == HF_PHASE_ROLLING_BACK ? (node->disturbed ? DISTURBED : BROKEN) : NO_WAIT;
    if (work_ns != 0)
        push(work_ns, STEPS, i);
    send(i);
}

static void begin(uint32_t i)
{
    struct node *node = &w.nodes[i];
    bool was_admitted = false;

    for (unsigned k = 0; k < HF_LEN(w.selectors); k++)
        if (selects(k, node) && strcmp(w.versions[node->seen]->selector_hash, w.selectors[k]) == 0)
            was_admitted = node->slot < w.admitted[k].cutoff || (node->canary && w.admitted[k].canary);
    ck_assert_msg(was_admitted || node->is_hot, "seed %ju: %s begins without admission", (uintmax_t)w.seed, node->name);
    node->began = true;
    enter(i, HF_EV_GO, 10 * SECOND + below(100 * SECOND));
}

static void swap(uint32_t i)
{
    struct node *node = &w.nodes[i];

    node->busy = !node->is_hot; /* the newer release asks for no turns */
    w.zone_busy[node->zone] += node->busy;
    ck_assert_msg(!w.has_turns || node->is_hot || w.zone_busy[node->zone] <= w.max_unavailable,
                  "seed %ju: %u nodes of zone %u swap at %ju s", (uintmax_t)w.seed, w.zone_busy[node->zone], node->zone,
                  (uintmax_t)(w.now_ns / SECOND));
    enter(i, HF_EV_GO, 1 + below(3 * SECOND));
}

/* A node that is not in the middle of the older release begins the newer one. */
static void change_release(uint32_t i)
{
    struct node *node = &w.nodes[i];
    bool waits = node->phase == HF_PHASE_VERIFIED && (node->wait == TURN_PENDING || node->wait == NOT_ADMITTED);

    if (node->is_hot || (!waits && node->phase != HF_PHASE_IDLE && node->phase != HF_PHASE_WAITING &&
                         node->phase != HF_PHASE_COMMITTED && node->phase != HF_PHASE_ROLLED_BACK))
        return;
    node->is_hot = true;
    node->phase = HF_PHASE_IDLE;
    node->wait = NO_WAIT;
}

static bool accepts(void *arg, const struct hf_edgeupdate *update)
{
    (void)arg;
    return update != w.refused_decoded;
}

static void work(uint32_t i);

/* The node looks at its cached EdgeUpdates, as its agent does. */
static void look(uint32_t i)
{
    static struct hf_plan plan;
    struct node *node = &w.nodes[i];
    struct hf_edgeupdate *newer = node->sees_hot ? w.hot_decoded : w.refused_decoded;
    struct hf_edgeupdate *updates[] = {w.versions[node->seen], newer};
    struct hf_plan_params params = {.updates = updates,
                                    .n = newer != NULL ? 2 : 1,
                                    .accepts = accepts,
                                    .node_name = node->name,
                                    .node_labels = node->labels,
                                    .begun = has_begun,
                                    .arg = node};

    if (node->liar)
        return;
    hf_plan_make(&params, &plan);
    ck_assert_msg(!node->sees_hot || (plan.n == 1 && strcmp(plan.desired[0].update->release.digest, w.hot_digest) == 0),
                  "seed %ju: %s wants the older release", (uintmax_t)w.seed, node->name);
    if (node->sees_hot)
        change_release(i);
    if (plan.n == 0) {
        ck_assert(w.widens && !node->is_first);
        return;
    }
    if (node->phase == HF_PHASE_IDLE)
        enter(i, HF_EV_DESIRED, 0);
    node->is_admitted = plan.desired[0].gate == HF_GATE_OPEN;
    if (node->phase == HF_PHASE_VERIFIED && node->wait != NO_WAIT)
        work(i);
    if (node->phase != HF_PHASE_WAITING)
        return;
    if (node->is_admitted)
        begin(i);
    else
        node->wait = NOT_ADMITTED;
}

static void verdict(uint32_t i, enum hf_update_event event)
{
    w.zone_busy[w.nodes[i].zone] -= w.nodes[i].busy;
    w.nodes[i].busy = false;
    enter(i, event, 0);
    if (w.nodes[i].sees_hot)
        look(i);
}

/* A node that has downloaded asks for its admission once more, then for a turn. */
static void may_swap(uint32_t i)
{
    struct node *node = &w.nodes[i];
    enum wait wait = !node->is_admitted                            ? NOT_ADMITTED
                     : w.has_turns && !node->turn && !node->is_hot ? TURN_PENDING
                                                                   : NO_WAIT;

    if (wait == NO_WAIT) {
        swap(i);
    } else if (node->wait != wait) {
        node->wait = wait;
        send(i);
    }
}

static void work(uint32_t i)
{
    struct node *node = &w.nodes[i];

    switch (node->phase) {
    case HF_PHASE_WAITING:
        look(i);
        break;
    case HF_PHASE_FETCHING:
        if (chance(5)) {
            enter(i, HF_EV_FAILED, 30 * SECOND);
            node->wait = RETRYING;
        } else {
            enter(i, HF_EV_FETCHED, 5 * SECOND);
        }
        break;
    case HF_PHASE_PATCHING:
        enter(i, HF_EV_PATCHED, SECOND);
        break;
    case HF_PHASE_VERIFIED:
        may_swap(i);
        break;
    case HF_PHASE_SWAPPING:
        enter(i, HF_EV_SWAPPED, 20 * SECOND + below(40 * SECOND));
        break;
    case HF_PHASE_PROBATION:
        node->disturbed = chance(10); /* somebody replaces the installed file */
        if (node->disturbed || node->broken)
            enter(i, HF_EV_UNHEALTHY, 5 * SECOND);
        else
            verdict(i, HF_EV_HEALTHY);
        break;
    case HF_PHASE_ROLLING_BACK:
        verdict(i, node->disturbed ? HF_EV_UNDONE : HF_EV_RESTORED);
        if (node->phase == HF_PHASE_WAITING)
            push(60 * SECOND, STEPS, i);
        break;
    default:
        break;
    }
}

static void sees_turn(uint32_t i, bool turn)
{
    struct node *node = &w.nodes[i];

    if (node->away)
        return;
    node->turn = turn;
    if (turn && node->phase == HF_PHASE_VERIFIED && node->wait != NO_WAIT)
        work(i);
}

static void leaves(uint32_t i)
{
    if (w.healed || w.nodes[i].away)
        return;
    w.nodes[i].away = true;
    push(10 * MINUTE + below(100 * MINUTE), RETURNS, i);
}

static void returns(uint32_t i)
{
    struct node *node = &w.nodes[i];

    if (!node->away || (node->gone_long && !w.healed))
        return;
    node->away = false;
    node->seen = (uint32_t)w.n_versions - 1;
    node->sees_hot = node->hot_label && w.hot != NULL;
    sees_turn(i, node->stored.has_turn);
    look(i);
    send(i);
    if (chance(30) && !w.healed)
        push(20 * MINUTE + below(60 * MINUTE), LEAVES, i);
}

/* ---- controllers ------------------------------------------------------------------------------------------------- */

static struct hf_rollout_now now_of(struct controller *controller)
{
    uint64_t now_ns = w.now_ns + 1000 * SECOND;

    return (struct hf_rollout_now){.mono_ns = now_ns,
                                   .unix_ns = UNIX_START + w.now_ns + (uint64_t)controller->clock_lie_ns,
                                   .blind_ns = hf_sight_look(&controller->sight, now_ns)};
}

static void set_sight(struct controller *controller, bool sees)
{
    hf_sight_set(&controller->sight, w.now_ns + 1000 * SECOND, sees, 0);
    for (enum hf_rollout_kind kind = 0; kind < HF_ROLLOUT_KINDS; kind++)
        hf_rollout_engine_watch(controller->engine, kind, sees);
}

static void deliver(struct controller *controller)
{
    struct hf_rollout_now now = now_of(controller);

    for (; controller->cursor < w.n_changes; controller->cursor++) {
        const struct change *change = &w.changes[controller->cursor];
        if (change->at_ns + controller->lag_ns > w.now_ns)
            return;
        if (change->node == UINT32_MAX) {
            ck_assert_int_eq(hf_rollout_engine_take_update(controller->engine, change->update, &now), 0);
            continue;
        }
        json_t *json = edgenode_json(change->node, &change->stored);
        ck_assert_int_eq(hf_rollout_engine_take_edgenode(controller->engine, json, &now), 0);
        json_decref(json);
    }
}

static void dispatch(uint32_t number, const struct hf_rollout_effect *effect)
{
    struct write *write = calloc(1, sizeof(*write));
    unsigned fate = (unsigned)below(100);

    write->kind = effect->kind;
    write->id = effect->id;
    write->decided_ns = w.now_ns;
    (void)snprintf(write->name, sizeof(write->name), "%s", effect->name);
    write->body = json_incref(hf_json_mutable(effect->body));
    write->answer_lost = fate < 2;
    if (fate >= 2 && fate < 4) { /* the request is lost */
        write->r = -ETIMEDOUT;
        write->answer_lost = true;
        push(10 * SECOND, ANSWERS, number)->with.write = write;
        return;
    }
    bool is_slow = fate < 8;
    if (number == w.leader && below(w.n_controllers * 60) == 0) { /* the leader falls while its write is on its way */
        is_slow = true;
        push(below(3 * SECOND), FAILS_OVER, 0)->with.number = 1;
    }
    push(SECOND / 100 + below(is_slow ? 60 * SECOND : SECOND), WRITES, number)->with.write = write;
}

static void ticks(uint32_t number)
{
    struct controller *controller = &w.controllers[number];
    struct hf_rollout_now now = now_of(controller);
    struct hf_rollout_plan plan;

    if (controller->engine == NULL || (controller->die_ns != 0 && w.now_ns >= controller->die_ns))
        return;
    if (!controller->blind && !api_is_away())
        deliver(controller);
    ck_assert_int_eq(hf_rollout_engine_plan(controller->engine, &now, &plan), 0);
    for (size_t i = 0; i < plan.n; i++)
        if (plan.effects[i].kind == HF_ROLLOUT_STATUS || plan.effects[i].kind == HF_ROLLOUT_TURNS)
            dispatch(number, &plan.effects[i]);
    uint64_t in_ns = plan.next_mono_ns <= now.mono_ns ? 0 : plan.next_mono_ns - now.mono_ns;
    push(HF_MAX(2 * SECOND, HF_MIN(in_ns, 5 * SECOND)), TICKS, number);
}

static void answers(uint32_t number, struct write *write)
{
    struct controller *controller = &w.controllers[number];
    struct hf_rollout_now now = now_of(controller);
    bool known = !write->answer_lost && !api_is_away();

    totals->unknown += !known;
    if (controller->engine != NULL)
        hf_rollout_engine_result(controller->engine, write->id, known ? write->r : -ETIMEDOUT,
                                 known ? write->answer : NULL, &now);
    json_decref(write->body);
    json_decref(write->answer);
    free(write);
}

static void list(struct controller *controller)
{
    struct hf_rollout_now now = now_of(controller);

    for (enum hf_rollout_kind kind = 0; kind < HF_ROLLOUT_KINDS; kind++)
        hf_rollout_engine_list_begin(controller->engine, kind);
    for (uint32_t i = 0; i < w.n; i++) {
        json_t *json = json_pack("{s:{s:s, s:O}}", "metadata", "name", w.nodes[i].name, "labels", w.nodes[i].labels);
        ck_assert_int_eq(hf_rollout_engine_take_node(controller->engine, json, &now), 0);
        json_decref(json);
        if (w.nodes[i].stored.version == 0)
            continue;
        json = edgenode_json(i, &w.nodes[i].stored);
        ck_assert_int_eq(hf_rollout_engine_take_edgenode(controller->engine, json, &now), 0);
        json_decref(json);
    }
    ck_assert_int_eq(hf_rollout_engine_take_update(controller->engine, w.update, &now), 0);
    if (w.hot != NULL)
        ck_assert_int_eq(hf_rollout_engine_take_update(controller->engine, w.hot, &now), 0);
    if (w.refused != NULL)
        ck_assert_int_eq(hf_rollout_engine_take_update(controller->engine, w.refused, &now), 0);
    for (enum hf_rollout_kind kind = 0; kind < HF_ROLLOUT_KINDS; kind++)
        hf_rollout_engine_list_end(controller->engine, kind, &now);
    controller->cursor = w.n_changes;
}

/* A new leader; the former one is dead, or lives on for a while, with or without sight of the cluster. */
static void fails_over(void)
{
    static const struct hf_rollout_params params = {.keep_silent_nodes = true};

    if (w.n_controllers == CONTROLLERS)
        return;
    if (w.n_controllers > 0) {
        struct controller *former = &w.controllers[w.leader];
        former->die_ns = w.now_ns + (chance(40) ? 1 : below(60 * SECOND));
        former->blind = chance(60);
        totals->failovers++;
    }
    w.leader = w.n_controllers++;
    struct controller *controller = &w.controllers[w.leader];
    *controller = (struct controller){.epoch = w.leader + 1, .lag_ns = below(2 * SECOND), .since_ns = w.now_ns};
    controller->clock_lie_ns =
        chance(70) ? 0 : (int64_t)(below(40 * 24 * 3600) * SECOND) - 20 * 24 * 3600 * (int64_t)SECOND;
    ck_assert_int_eq(hf_rollout_engine_new(&params, &controller->engine), 0);
    struct hf_rollout_now now = now_of(controller);
    list(controller);
    set_sight(controller, true);
    hf_rollout_engine_lead(controller->engine, controller->epoch, &now);
    push(1 + below(5 * SECOND), TICKS, (uint32_t)w.leader);
}

/* The outage loses the reports that were on their way; each node sends its report again when it is back. */
static void api_leaves(void)
{
    totals->outages++;
    for (size_t i = 0; i < w.n_controllers; i++)
        if (w.controllers[i].engine != NULL)
            set_sight(&w.controllers[i], false);
    for (uint32_t i = 0; i < w.n; i++)
        if (!w.nodes[i].away)
            push(after_outage(), BEATS, i)->with.number = 2;
}

static void api_returns(void)
{
    for (size_t i = 0; i < w.n_controllers; i++)
        if (w.controllers[i].engine != NULL)
            set_sight(&w.controllers[i], true);
}

static void heals(void)
{
    w.healed = true;
    for (uint32_t i = 0; i < w.n; i++)
        if (w.nodes[i].away)
            push(below(10 * MINUTE), RETURNS, i);
}

/* Somebody creates an EdgeUpdate of the same release name with a higher sequence. */
static json_t *make_newer(const char *name, uint64_t *ret_version, struct hf_edgeupdate **ret_decoded)
{
    struct hf_issues issues;
    json_t *newer = json_deep_copy(w.update);
    bool is_hot = strcmp(name, "sim-hot") == 0;

    (void)json_object_del(newer, "status");
    ck_assert_int_eq(json_object_del(json_object_get(newer, "spec"), "strategy"), 0);
    ck_assert_int_eq(hf_json_put(newer, "metadata.name", json_string(name)), 0);
    ck_assert_int_eq(hf_json_put(newer, "metadata.uid", json_string(name)), 0);
    if (is_hot)
        ck_assert_int_eq(hf_json_put(newer, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "hot", "yes")),
                         0);
    ck_assert_int_eq(hf_json_put(newer, "spec.release.sequence", json_integer((json_int_t)w.seed + 2)), 0);
    put_version(newer, *ret_version = ++w.version);
    ck_assert_int_eq(hf_edgeupdate_decode(newer, ret_decoded, &issues), 0);
    log_change(UINT32_MAX, NULL, newer);
    return newer;
}

/* One for some nodes. */
static void gets_hot(void)
{
    w.hot = make_newer("sim-hot", &w.hot_version, &w.hot_decoded);
    memcpy(w.hot_digest, w.hot_decoded->release.digest, sizeof(w.hot_digest));
    w.hot_ns = w.now_ns;
    for (uint32_t i = 0; i < w.n; i++)
        if (w.nodes[i].hot_label && !w.nodes[i].away)
            push(below(20 * SECOND), SEES_HOT, i);
}

/* Somebody changes the nodeSelector to all nodes. */
static void widens(void)
{
    json_t *narrow = w.update;

    w.update = json_deep_copy(narrow);
    json_decref(narrow);
    ck_assert_int_eq(json_object_del(json_object_get(w.update, "spec"), "nodeSelector"), 0);
    ck_assert_int_eq(hf_json_put(w.update, "metadata.generation", json_integer(2)), 0);
    put_version(w.update, w.update_version = ++w.version);
    log_change(UINT32_MAX, NULL, w.update);
    w.selector = 1;
    see_update();
    memcpy(w.selectors[1], w.versions[w.n_versions - 1]->selector_hash, sizeof(w.selectors[1]));
    totals->widened++;
}

/* ---- one seed ---------------------------------------------------------------------------------------------------- */

/* While the API server is away, nobody learns anything. A new leader then has watched before; here it lists when all
 * nodes have had time to come back. */
static bool waits_for_api(const struct event *event)
{
    bool needs_api = event->kind == SEES || event->kind == SEES_HOT || event->kind == SEES_TURN ||
                     event->kind == RETURNS || event->kind == GETS_HOT || event->kind == WIDENS ||
                     event->kind == FAILS_OVER;

    if (event->kind == ARRIVES && api_is_away())
        return true;
    if (!needs_api || w.back_ns == 0 || w.now_ns < w.left_ns ||
        w.now_ns >= w.back_ns + (event->kind == FAILS_OVER ? 6 * MINUTE : 0))
        return false;
    push(event->kind == FAILS_OVER ? w.back_ns + 6 * MINUTE - w.now_ns : after_outage(), event->kind, event->who)
        ->with = event->with;
    return true;
}

static void dispatch_event(const struct event *event)
{
    struct node *node = &w.nodes[event->who];

    if (waits_for_api(event))
        return;
    switch (event->kind) {
    case SEES:
        if (!node->away && event->with.number > node->seen) {
            node->seen = event->with.number;
            look(event->who);
        }
        break;
    case SEES_HOT:
        if (!node->away) {
            node->sees_hot = true;
            look(event->who);
        }
        break;
    case GETS_HOT:
        gets_hot();
        break;
    case WIDENS:
        widens();
        break;
    case GETS_REFUSED:
        w.refused = make_newer("sim-refused", &w.refused_version, &w.refused_decoded);
        break;
    case STEPS:
        work(event->who);
        break;
    case BEATS:
        if (event->with.number == 0)
            push(15 * MINUTE + below(MINUTE), BEATS, event->who)->with.number = 0;
        if (event->with.number != 1 || node->unsent)
            send(event->who);
        break;
    case ARRIVES:
        report_arrives(event->who, &event->with.stored);
        break;
    case LEAVES:
        leaves(event->who);
        break;
    case RETURNS:
        returns(event->who);
        break;
    case SEES_TURN:
        sees_turn(event->who, node->stored.has_turn); /* a watch never shows an older state after a newer one */
        break;
    case TICKS:
        ticks(event->who);
        break;
    case WRITES:
        write_arrives(event->who, event->with.write);
        break;
    case ANSWERS:
        answers(event->who, event->with.write);
        break;
    case FAILS_OVER:
        if (!w.healed)
            fails_over();
        if (event->with.number == 0)
            push(10 * MINUTE + below(25 * MINUTE), FAILS_OVER, 0)->with.number = 0;
        break;
    case API_LEAVES:
        api_leaves();
        break;
    case API_RETURNS:
        api_returns();
        break;
    case HEALS:
    default:
        heals();
        break;
    }
}

/* Nodes that report any phase are only in fleets where they cannot halt the release or keep a turn. */
static bool has_liars(void)
{
    return !w.is_bad && !w.has_turns && !w.widens;
}

static void make_update(void)
{
    static const char text[] =
        "apiVersion: edge.codcompass.io/v1alpha1\n"
        "kind: EdgeUpdate\n"
        "metadata: {name: sim, uid: u1, generation: 1}\n"
        "spec:\n"
        "  release: {name: sim, version: '2', sequence: 2, expires: '2090-01-01T00:00:00Z',\n"
        "    artifacts: [{arch: amd64, url: 'https://x.example/a', size: 1,\n"
        "      sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}],\n"
        "    install: {path: /opt/x}}\n"
        "  strategy:\n"
        "    canary: {nodeSelector: {matchLabels: {canary: 'yes'}}, soak: 5m}\n"
        "    waves: [{percent: 5, soak: 5m}, {percent: 25, soak: 5m}, {percent: 100, soak: 5m}]\n"
        "    maxFailures: 2%\n"
        "    unknownAfter: 40m\n";

    ck_assert_int_eq(hf_yaml_parse(HF_VIEW(text), NULL, &w.update, NULL), 0);
    if (w.has_turns)
        ck_assert_int_eq(
            hf_json_put(w.update, "spec.strategy.disruption",
                        json_pack("{s:s, s:i}", "groupBy", "zone", "maxUnavailable", (int)w.max_unavailable)),
            0);
    if (has_liars())
        ck_assert_int_eq(hf_json_put(w.update, "spec.strategy.progressDeadline", json_string("1h")), 0);
    if (w.min_percent != 50) {
        char share[8];
        (void)snprintf(share, sizeof(share), "%u%%", w.min_percent);
        ck_assert_int_eq(hf_json_put(w.update, "spec.strategy.minUpdated", json_string(share)), 0);
    }
    if (w.min_after_ns != 0) {
        char after[HF_DURATION_TEXT];
        ck_assert_int_eq(hf_json_put(w.update, "spec.strategy.minUpdatedAfter",
                                     json_string(hf_format_duration(w.min_after_ns, after))),
                         0);
    }
    if (w.widens)
        ck_assert_int_eq(
            hf_json_put(w.update, "spec.nodeSelector", json_pack("{s:{s:s}}", "matchLabels", "first", "yes")), 0);
    /* each seed has a digest of its own, so other nodes come first */
    ck_assert_int_eq(hf_json_put(w.update, "spec.release.sequence", json_integer((json_int_t)w.seed + 1)), 0);
    put_version(w.update, w.update_version = ++w.version);
    see_update();
    memcpy(w.digest, w.versions[0]->release.digest, sizeof(w.digest));
    memcpy(w.selectors[0], w.versions[0]->selector_hash, sizeof(w.selectors[0]));
}

static void make_nodes(void)
{
    w.n_zones = (w.n + ZONE_NODES - 1) / ZONE_NODES;
    w.nodes = calloc(w.n, sizeof(*w.nodes));
    w.zone_busy = calloc(w.n_zones, sizeof(*w.zone_busy));
    w.labels = calloc(LABELS * (size_t)w.n_zones, sizeof(json_t *));
    for (uint32_t i = 0; i < w.n; i++) {
        struct node *node = &w.nodes[i];
        char zone[16];
        node->zone = i / ZONE_NODES;
        node->canary = i % 100 == 7;
        node->hot_label = w.wants_hot && i % 12 == 5 && !node->canary;
        node->is_first = i % 4 == (w.seed / 24 % 2 == 0 ? 3 : 1); /* each canary, or none */
        w.n_hot += node->hot_label;
        json_t **labels = &w.labels[LABELS * node->zone + 4 * node->is_first + 2 * node->hot_label + node->canary];
        (void)snprintf(zone, sizeof(zone), "z%u", node->zone);
        if (*labels == NULL)
            *labels = json_pack("{s:s, s:s, s:s, s:s}", "zone", zone, "canary", node->canary ? "yes" : "no", "hot",
                                node->hot_label ? "yes" : "no", "first", node->is_first ? "yes" : "no");
        node->labels = *labels;
        (void)snprintf(node->name, sizeof(node->name), "node-%u", i);
        node->slot = hf_admission_slot(node->name, w.digest);
        node->liar = has_liars() && below(1000) < 1 && !node->canary && !node->hot_label;
        node->away = chance(30);
        node->gone_long = node->away && chance(50);
        node->clock_lie_ns =
            chance(10) ? (int64_t)(below(20 * 24 * 3600) * SECOND) - 10 * 24 * 3600 * (int64_t)SECOND : 0;
        node->phase = HF_PHASE_IDLE;
        push(below(60 * SECOND), BEATS, i)->with.number = 0;
        if (node->away)
            push(10 * MINUTE + below(90 * MINUTE), RETURNS, i);
        else if (chance(30))
            push(below(60 * MINUTE), LEAVES, i);
        if (!node->away)
            look(i);
    }
}

/* The release breaks 3 % of the nodes; with some seeds, only nodes that later waves reach. */
static void break_three_percent(void)
{
    static const unsigned from[] = {0, 0, 500, 2500};
    unsigned wanted = w.is_bad ? (w.n * 3 + 99) / 100 : 0, least = from[w.seed / 8 % HF_LEN(from)];

    while (wanted > 0) {
        struct node *node = &w.nodes[below(w.n)];
        if (node->broken || node->canary || node->hot_label || node->slot < least)
            continue;
        node->broken = true;
        wanted--;
    }
}

static bool all_updated(void)
{
    for (uint32_t i = 0; i < w.n; i++)
        if (!w.nodes[i].liar && (w.nodes[i].phase != HF_PHASE_COMMITTED || w.nodes[i].is_hot != w.nodes[i].hot_label))
            return false;
    return true;
}

static const char *phase(void)
{
    return hf_json_str_or(w.update, "status.rollout.phase", "");
}

/* Both objects count the nodes that the newer one has taken. */
static bool hot_is_over(void)
{
    const char *status = hf_json_str_or(json_array_get(hf_json_at(w.hot, "status.conditions"), 0), "status", "");

    return !w.wants_hot ||
           (strcmp(status, "True") == 0 && hf_json_int_or(w.hot, "status.nodes.updated", 0) == w.n_hot &&
            hf_json_int_or(w.update, "status.nodes.superseded", 0) == w.n_hot);
}

static bool is_over(void)
{
    if (w.widens && strcmp(hf_json_str_or(w.update, "status.admission.selector", ""), w.selectors[1]) != 0)
        return false;
    return w.healed && (w.is_bad ? strcmp(phase(), "Halted") == 0
                                 : strcmp(phase(), "Complete") == 0 && all_updated() && hot_is_over());
}

/* Every honest node is updated. Only liars keep the last stage open: they say that they wait for a window or a turn,
 * and progressDeadline does not count that time. */
static bool is_held_by_liars(void)
{
    long long updated = hf_json_int_or(w.update, "status.nodes.updated", 0);
    long long superseded = hf_json_int_or(w.update, "status.nodes.superseded", 0), liars = 0;

    for (uint32_t i = 0; i < w.n; i++)
        liars += w.nodes[i].liar;
    return w.healed && !w.is_bad && all_updated() && hot_is_over() && strcmp(phase(), "Wave") == 0 &&
           hf_json_int_or(w.update, "status.rollout.cutoff", 0) == HF_ROLLOUT_ALL_SLOTS &&
           updated + superseded + liars >= (long long)w.n;
}

static void check_end(void)
{
    unsigned cutoff = (unsigned)hf_json_int_or(w.update, "status.rollout.cutoff", 0), lost = 0;
    const char *status = hf_json_str_or(json_array_get(hf_json_at(w.update, "status.conditions"), 0), "status", "");
    _cleanup_(hf_freep) char *said = json_dumps(json_object_get(w.update, "status"), JSON_INDENT(1));

    for (uint32_t i = 0; i < w.n; i++)
        lost += !w.nodes[i].liar && w.nodes[i].phase != HF_PHASE_COMMITTED;
    ck_assert_msg(is_over() || is_held_by_liars(), "seed %ju, bad %d, turns %d: %u nodes not updated, status %s",
                  (uintmax_t)w.seed, w.is_bad, w.has_turns, lost, said);
    ck_assert_str_eq(status, w.is_bad || !is_over() ? "False" : "True");
    totals->worlds++;
    totals->held += !is_over();
    totals->good += !w.is_bad;
    totals->bad += w.is_bad;
    totals->taken += w.hot != NULL;
    totals->refused += w.refused != NULL;
    ck_assert_int_eq(w.refused == NULL ? 0 : hf_json_int_or(w.update, "status.nodes.superseded", 0), 0);
    if (w.is_bad)
        totals->halts_at[cutoff == 0 ? 0 : cutoff == 500 ? 1 : cutoff == 2500 ? 2 : 3]++;
    else
        totals->good_end_s += (double)w.now_ns / (double)SECOND;
}

static void free_world(void)
{
    while (w.n_heap > 0) {
        struct event event = pop();
        if (event.kind != WRITES && event.kind != ANSWERS)
            continue;
        json_decref(event.with.write->body);
        json_decref(event.with.write->answer);
        free(event.with.write);
    }
    for (size_t i = 0; i < w.n_controllers; i++)
        hf_rollout_engine_free(w.controllers[i].engine);
    for (size_t i = 0; i < w.n_versions; i++)
        hf_edgeupdate_free(w.versions[i]);
    for (size_t i = 0; i < w.n_changes; i++)
        json_decref(w.changes[i].update);
    for (size_t i = 0; i < LABELS * (size_t)w.n_zones; i++)
        json_decref(w.labels[i]);
    json_decref(w.update);
    json_decref(w.hot);
    hf_edgeupdate_free(w.hot_decoded);
    json_decref(w.refused);
    hf_edgeupdate_free(w.refused_decoded);
    free(w.labels);
    free(w.changes);
    free(w.heap);
    free(w.nodes);
    free(w.zone_busy);
}

static void run_seed(uint64_t seed, unsigned n)
{
    uint64_t looked_ns = 0;

    w = (struct world){.seed = seed, .random = seed * 7919 + 17, .n = n};
    w.is_bad = seed % 2 == 1;
    w.has_turns = seed / 2 % 2 == 1;
    w.max_unavailable = 1 + (unsigned)(seed / 4 % 2);
    /* one fleet in four waits for 80 % of each stage, one for 90 %, but for 20 minutes at most; the others have the
     * default */
    w.min_percent = seed / 8 % 4 == 1 ? 80 : seed / 8 % 4 == 3 ? 90 : 50;
    w.min_after_ns = w.min_percent == 90 ? 20 * MINUTE : 0;
    w.wants_hot = seed % 3 == 2;
    w.widens = seed % 3 == 0 && seed / 12 % 2 == 0;
    make_update();
    make_nodes();
    break_three_percent();
    push(MINUTE, FAILS_OVER, 0)->with.number = 0;
    if (w.wants_hot)
        push(5 * MINUTE + below(60 * MINUTE), GETS_HOT, 0);
    if (w.widens)
        push(10 * MINUTE + below((seed / 6 % 2 == 0 ? 120 : 360) * MINUTE), WIDENS, 0);
    if (seed % 3 == 1)
        push(below(60 * MINUTE), GETS_REFUSED, 0);
    /* in every second fleet, the nodes that are gone for long come back only after most stages */
    push((seed / 8 % 4 >= 2 ? 260 : 80) * MINUTE, HEALS, 0);
    if (seed % 5 == 4) {
        w.left_ns = 10 * MINUTE + below(150 * MINUTE);
        w.back_ns = w.left_ns + 45 * MINUTE + below(60 * MINUTE);
        push(w.left_ns, API_LEAVES, 0);
        push(w.back_ns, API_RETURNS, 0);
    }
    while (w.n_heap > 0 && w.now_ns < 12 * 60 * MINUTE) {
        struct event event = pop();
        w.now_ns = event.at_ns;
        dispatch_event(&event);
        for (size_t i = 0; i < w.n_controllers; i++) /* free the dead early: they cost memory */
            if (w.controllers[i].die_ns != 0 && w.now_ns > w.controllers[i].die_ns + 5 * MINUTE) {
                hf_rollout_engine_free(w.controllers[i].engine);
                w.controllers[i].engine = NULL;
                w.controllers[i].die_ns = 0;
            }
        if (w.now_ns < looked_ns + MINUTE)
            continue;
        looked_ns = w.now_ns;
        if (is_over())
            break;
    }
    check_end();
    free_world();
}

static unsigned from_env(const char *name, unsigned fallback)
{
    const char *text = getenv(name);

    return text == NULL ? fallback : (unsigned)strtoul(text, NULL, 10);
}

START_TEST(a_fleet)
{
    unsigned seeds = from_env("HF_SIM_SEEDS", DEFAULT_SEEDS), nodes = from_env("HF_SIM_NODES", 0);
    unsigned first = from_env("HF_SIM_FIRST", 0);
    const char *only = getenv("HF_SIM_SEED");

    if (only != NULL) {
        if (_i == 0)
            run_seed(strtoull(only, NULL, 10), nodes != 0 ? nodes : DEFAULT_NODES);
        return;
    }
    unsigned before = (unsigned)_i * BLOCK, last = HF_MIN(seeds, before + BLOCK);

    for (uint64_t n = hf_walk_next("fleets", before); n <= last; n = hf_walk_next("fleets", n))
        run_seed(first + n - 1, nodes != 0 ? nodes : DEFAULT_NODES);
}
END_TEST

/* A bad release and a good one: the commit draws one of them, `make walks` has both. */
START_TEST(a_big_fleet)
{
    bool is_second = hf_walk_next("big fleets", 0) > HF_WALK_STEP / 2;

    if (!hf_walk_is_whole() && is_second != (_i == 1))
        return;
    if (getenv("HF_SIM_SEED") == NULL && getenv("HF_SIM_NODES") == NULL)
        run_seed(100001 + (uint64_t)_i, BIG_NODES);
}
END_TEST

static void cases(TCase *tc)
{
    unsigned seeds = from_env("HF_SIM_SEEDS", DEFAULT_SEEDS);

    tcase_add_loop_test(tc, a_fleet, 0, (int)((seeds + BLOCK - 1) / BLOCK));
    tcase_add_loop_test(tc, a_big_fleet, 0, 2);
}

int main(void)
{
    totals = mmap(NULL, sizeof(*totals), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (totals == MAP_FAILED)
        return EXIT_FAILURE;
    int r = hf_test_main("sim/rollout", cases, 600);
    printf("%u fleets: %u good releases everywhere after %.0f min on average, %u bad ones halted (canary %u, 5 %% %u, "
           "25 %% "
           "%u, 100 %% %u)\n",
           totals->worlds, totals->good, totals->good == 0 ? 0 : totals->good_end_s / totals->good / 60, totals->bad,
           totals->halts_at[0], totals->halts_at[1], totals->halts_at[2], totals->halts_at[3]);
    printf("%u stages settled while nodes of theirs were away, %u of them below minUpdated, by minUpdatedAfter\n",
           totals->lonely, totals->fewer);
    printf("%u fleets with a newer EdgeUpdate of the same release for some nodes, %u with one that no node accepts\n",
           totals->taken, totals->refused);
    printf("%u fleets whose nodeSelector became wider\n", totals->widened);
    printf("%u fleets without the API server for longer than unknownAfter\n", totals->outages);
    printf("%u fleets wholly updated, and not complete because of liars\n", totals->held);
    printf("%u failovers, %u writes of former leaders, %u conflicts, %u results unknown, %u turns, %u reports\n",
           totals->failovers, totals->late_writes, totals->conflicts, totals->unknown, totals->turns, totals->reports);
    return r;
}
