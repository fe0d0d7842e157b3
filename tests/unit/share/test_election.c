/* SPDX-License-Identifier: Apache-2.0 */
/* Who downloads, who waits for whom, and that in every order of events one node of a site goes to the origin. */
#include "share/election.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "support/check_main.h"

static const char sha[] = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

enum { NODES = 6 };

static const char *name_of(unsigned i)
{
    static char names[NODES][16];

    (void)snprintf(names[i], sizeof(names[i]), "node-%u", i);
    return names[i];
}

/* The order of the nodes for a content: first[0] goes before all others. */
static void order(const char *content, unsigned first[NODES])
{
    for (unsigned i = 0; i < NODES; i++) {
        unsigned before = 0;
        for (unsigned k = 0; k < NODES; k++)
            before += hf_share_goes_before(content, name_of(k), name_of(i));
        first[before] = i;
    }
}

START_TEST(order_is_total)
{
    unsigned first[NODES], other[NODES];
    bool seen[NODES] = {false}, differs = false;

    order(sha, first);
    order("another", other);
    for (unsigned i = 0; i < NODES; i++) {
        ck_assert(!seen[first[i]]);
        seen[first[i]] = true;
        differs = differs || first[i] != other[i];
        ck_assert(!hf_share_goes_before(sha, name_of(i), name_of(i)));
    }
    ck_assert(differs);
}
END_TEST

static const struct {
    const char *name;
    enum hf_share_state early, late; /* of the node that goes before this one, and of the one behind it */
    bool early_excluded, late_busy;
    enum hf_share_choice want;
    int peer; /* 0: early, 1: late */
} rows[] = {
    {"nobody answers", HF_SHARE_UNKNOWN, HF_SHARE_UNKNOWN, false, false, HF_SHARE_ALONE, 0},
    {"nobody wants it", HF_SHARE_ABSENT, HF_SHARE_ABSENT, false, false, HF_SHARE_ALONE, 0},
    {"the earlier wants it", HF_SHARE_WANTED, HF_SHARE_WANTED, false, false, HF_SHARE_WAIT, 0},
    {"the later wants it", HF_SHARE_ABSENT, HF_SHARE_WANTED, false, false, HF_SHARE_ALONE, 0},
    {"the later fetches it", HF_SHARE_WANTED, HF_SHARE_FETCHING, false, false, HF_SHARE_WAIT, 1},
    {"the later has it", HF_SHARE_FETCHING, HF_SHARE_HAVE, false, false, HF_SHARE_GET, 1},
    {"it has it, and is busy", HF_SHARE_FETCHING, HF_SHARE_HAVE, false, true, HF_SHARE_WAIT, 1},
    {"busy, but another has it", HF_SHARE_HAVE, HF_SHARE_HAVE, false, true, HF_SHARE_GET, 0},
    {"the one with it lied", HF_SHARE_HAVE, HF_SHARE_ABSENT, true, false, HF_SHARE_ALONE, 0},
    {"the liar counts for nothing", HF_SHARE_FETCHING, HF_SHARE_WANTED, true, false, HF_SHARE_ALONE, 0},
};

START_TEST(decision)
{
    unsigned first[NODES];

    order(sha, first);
    const struct hf_share_view views[] = {
        {.node = name_of(first[0]), .state = rows[_i].early, .excluded = rows[_i].early_excluded},
        {.node = name_of(first[2]), .state = rows[_i].late, .busy = rows[_i].late_busy},
        {.node = name_of(first[1]), .state = HF_SHARE_HAVE}, /* this node, by another of its addresses */
        {.node = "", .state = HF_SHARE_HAVE},                /* no handshake yet */
    };
    struct hf_share_decision got = hf_share_decide(sha, name_of(first[1]), views, HF_LEN(views));

    ck_assert_msg(got.choice == rows[_i].want && (got.choice == HF_SHARE_ALONE || (int)got.peer == rows[_i].peer),
                  "%s: choice %d, peer %zu", rows[_i].name, got.choice, got.peer);
}
END_TEST

/* Those that have it share the askers. */
START_TEST(askers_spread)
{
    struct hf_share_view views[NODES];
    unsigned taken[NODES] = {0}, used = 0;
    char asker[16];

    for (unsigned i = 0; i < NODES; i++)
        views[i] = (struct hf_share_view){.node = name_of(i), .state = HF_SHARE_HAVE};
    for (unsigned i = 0; i < 60; i++) {
        (void)snprintf(asker, sizeof(asker), "asker-%u", i);
        taken[hf_share_decide(sha, asker, views, NODES).peer]++;
    }
    for (unsigned i = 0; i < NODES; i++)
        used += taken[i] > 0;
    ck_assert_uint_eq(used, NODES);
}
END_TEST

/* ---- all nodes at once ------------------------------------------------------------------------------------------- */

/* Each node begins, then asks each other one: an event each, in any order that keeps this. A question tells the asked
 * node, if it has begun, that the asker wants it; the answer tells what the asked one is doing. Then it decides. */
struct one {
    bool began, fetches, waits;
    unsigned asked; /* of the others, so far */
    enum hf_share_state knows[NODES];
};

static void step(struct one nodes[NODES], unsigned i)
{
    struct one *node = &nodes[i];
    struct hf_share_view views[NODES];

    if (!node->began) {
        node->began = true;
        return;
    }
    if (node->asked < NODES) {
        struct one *other = &nodes[node->asked];
        if (node->asked != i) {
            enum hf_share_state answer = other->fetches ? HF_SHARE_FETCHING
                                         : other->began ? HF_SHARE_WANTED
                                                        : HF_SHARE_ABSENT;
            node->knows[node->asked] = HF_MAX(node->knows[node->asked], answer);
            if (other->began)
                other->knows[i] = HF_MAX(other->knows[i], HF_SHARE_WANTED);
        }
        node->asked++;
        return;
    }
    for (unsigned k = 0; k < NODES; k++)
        views[k] = (struct hf_share_view){.node = name_of(k), .state = node->knows[k]};
    if (hf_share_decide(sha, name_of(i), views, NODES).choice == HF_SHARE_ALONE)
        node->fetches = true;
    else
        node->waits = true;
}

START_TEST(one_goes_in_every_order)
{
    uint64_t seed = (uint64_t)_i * 2654435761u + 1;

    for (unsigned round = 0; round < 400; round++) {
        struct one nodes[NODES] = {{.began = false}};
        unsigned open = NODES, fetches = 0;
        while (open > 0) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            unsigned i = (unsigned)(seed >> 33) % NODES;
            if (nodes[i].fetches || nodes[i].waits)
                continue;
            step(nodes, i);
            open -= nodes[i].fetches || nodes[i].waits;
        }
        for (unsigned i = 0; i < NODES; i++)
            fetches += nodes[i].fetches;
        ck_assert_msg(fetches == 1, "seed %d, round %u: %u nodes go to the origin", _i, round, fetches);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, order_is_total);
    tcase_add_loop_test(tc, decision, 0, (int)HF_LEN(rows));
    tcase_add_test(tc, askers_spread);
    tcase_add_loop_test(tc, one_goes_in_every_order, 0, 8);
}

HF_TEST_MAIN("share/election", cases)
