/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence that no kubelet comes, and the next step for each combination of facts (golden table). */
#include "alone/step.h"

#include <stdio.h>
#include <string.h>

#include "support/check_main.h"
#include "support/golden.h"

#define S HF_NS_PER_S

static const struct {
    struct hf_alone_evidence evidence;
    enum hf_alone_presence presence;
} judged[] = {
    {{.kubelet_answers = true, .uptime_ns = 900 * S, .unseen_ns = 0, .seen = true}, HF_ALONE_KUBELET},
    {{.uptime_ns = 0}, HF_ALONE_WAITING},
    /* the server answers: the kubelet may be slow */
    {{.server_answers = true, .uptime_ns = 59 * S, .unseen_ns = 50 * S}, HF_ALONE_WAITING},
    {{.server_answers = true, .uptime_ns = 60 * S, .unseen_ns = 50 * S}, HF_ALONE_ALONE},
    /* it does not; a late start of this process leaves it its time to look */
    {{.uptime_ns = 10 * S - 1, .unseen_ns = 8 * S}, HF_ALONE_WAITING},
    {{.uptime_ns = 10 * S, .unseen_ns = 8 * S}, HF_ALONE_ALONE},
    {{.uptime_ns = 25 * S, .unseen_ns = 5 * S - 1}, HF_ALONE_WAITING},
    {{.uptime_ns = 25 * S, .unseen_ns = 5 * S}, HF_ALONE_ALONE},
    /* it answers afterwards: what has begun goes on until the kubelet is there */
    {{.server_answers = true, .was_alone = true, .uptime_ns = 20 * S, .unseen_ns = 15 * S}, HF_ALONE_ALONE},
    {{.kubelet_answers = true, .was_alone = true, .uptime_ns = 20 * S}, HF_ALONE_KUBELET},
    {{.was_alone = true, .uptime_ns = 25 * S, .unseen_ns = 5 * S, .seen = true}, HF_ALONE_WAITING},
    /* a new process on a machine that is up for long */
    {{.uptime_ns = 900 * S, .unseen_ns = 4 * S}, HF_ALONE_WAITING},
    {{.uptime_ns = 900 * S, .unseen_ns = 5 * S}, HF_ALONE_ALONE},
    {{.server_answers = true, .uptime_ns = 900 * S, .unseen_ns = 5 * S}, HF_ALONE_ALONE},
    /* the kubelet restarts */
    {{.uptime_ns = 900 * S, .unseen_ns = 30 * S, .seen = true}, HF_ALONE_WAITING},
    {{.uptime_ns = 900 * S, .unseen_ns = 60 * S, .seen = true}, HF_ALONE_ALONE},
};

START_TEST(evidence)
{
    ck_assert_msg(hf_alone_judge(&judged[_i].evidence) == judged[_i].presence, "row %d", _i);
}
END_TEST

START_TEST(waits)
{
    static const unsigned want[] = {0, 1, 2, 4, 8, 16, 32, 60, 60};

    for (unsigned i = 0; i < HF_LEN(want); i++)
        ck_assert_uint_eq(hf_alone_retry_wait_ns(i), want[i] * S);
    ck_assert_uint_eq(hf_alone_retry_wait_ns(4000000000u), 60 * S);
}
END_TEST

/* What the runtime has, as a list of words: own/own2/dead/old: a ready sandbox of ours, a second one, one that has
 * ended, one of another manifest; twin: the kubelet's of the same pod; other: a foreign pod; then the state of container
 * c in each of them. */
struct world {
    const char *text;
    struct hf_listing listing;
    struct hf_listed_sandbox sandboxes[4];
    struct hf_listed_container containers[4];
};

static const char *const worlds[] = {
    "?",
    "-",
    "own:-",
    "own:created",
    "own:running",
    "own:exited",
    "own:running own2:running",
    "dead:exited",
    "old:running",
    "twin:running",
    "twin:exited",
    "twin:running own:running",
    "other:running",
};

static void add(struct world *world, const char *word)
{
    struct hf_listed_sandbox *sandbox = &world->sandboxes[world->listing.n_sandboxes++];
    const char *state = strchr(word, ':') + 1;
    bool is_twin = strncmp(word, "twin", 4) == 0, is_other = strncmp(word, "other", 5) == 0;

    (void)snprintf(sandbox->id, sizeof(sandbox->id), "%.*s", (int)(state - word - 1), word);
    (void)snprintf(sandbox->uid, sizeof(sandbox->uid), "%s", strncmp(word, "old", 3) == 0 ? "u0" : "u1");
    (void)snprintf(sandbox->name, sizeof(sandbox->name), "%s", is_twin ? "p-node" : is_other ? "q-node" : "p");
    (void)snprintf(sandbox->space, sizeof(sandbox->space), "site");
    sandbox->ours = !is_twin && !is_other;
    sandbox->ready = strncmp(word, "dead", 4) != 0;
    if (state[0] == '-')
        return;
    struct hf_listed_container *container = &world->containers[world->listing.n_containers++];
    (void)snprintf(container->id, sizeof(container->id), "c.%.*s", (int)(state - word - 1), word);
    (void)snprintf(container->sandbox, sizeof(container->sandbox), "%.*s", (int)(state - word - 1), word);
    (void)snprintf(container->name, sizeof(container->name), "c");
    container->state = strncmp(state, "created", 7) == 0   ? HF_LISTED_CREATED
                       : strncmp(state, "running", 7) == 0 ? HF_LISTED_RUNNING
                                                           : HF_LISTED_EXITED;
}

static void fill(struct world *world, const char *text)
{
    char copy[64], *save = NULL;

    *world = (struct world){.text = text};
    world->listing.sandboxes = world->sandboxes;
    world->listing.containers = world->containers;
    (void)snprintf(copy, sizeof(copy), "%s", text);
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
        if (strchr(word, ':') != NULL)
            add(world, word);
}

static void print_row(struct hf_buf *out, const struct world *world, struct hf_alone_facts facts, size_t n_wishes)
{
    static const char *const presences[] = {"kubelet", "waiting", "alone"};
    struct hf_alone_wish wish = {.pod = {.uid = "u1", .name = "p", .space = "site", .n_containers = 1},
                                 .twin = "p-node"};
    struct hf_alone_wish *wishes[] = {&wish};

    (void)snprintf(wish.pod.containers[0].name, sizeof(wish.pod.containers[0].name), "c");
    facts.listing = world->text[0] == '?' ? NULL : &world->listing;
    const struct hf_alone_step step = hf_alone_next(&facts, wishes, n_wishes);
    ck_assert_int_eq(hf_buf_addf(out, "%-8s %zu %s%s %-26s | %s%s%s\n", presences[facts.presence], n_wishes,
                                 facts.own_runtime ? "own" : "-  ", facts.other_runtime ? "+other" : "      ",
                                 world->text, hf_alone_step_names[step.kind], step.id[0] != '\0' ? " " : "", step.id),
                     0);
}

START_TEST(table)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 18);

    for (unsigned p = 0; p < 3; p++)
        for (unsigned n = 0; n < 2; n++)
            for (unsigned runtime = 0; runtime < 4; runtime++)
                for (size_t i = 0; i < HF_LEN(worlds); i++) {
                    struct world world;
                    fill(&world, worlds[i]);
                    const struct hf_alone_facts facts = {.presence = (enum hf_alone_presence)p,
                                                         .own_runtime = (runtime & 1) != 0,
                                                         .other_runtime = (runtime & 2) != 0,
                                                         .now_ns = 1};
                    print_row(&out, &world, facts, n);
                }
    ck_assert(hf_golden("alone/steps.txt", hf_buf_view(&out)));
}
END_TEST

START_TEST(backs_off)
{
    struct world world;
    struct hf_alone_wish wish = {.pod = {.uid = "u1", .name = "p", .space = "site", .n_containers = 1},
                                 .twin = "p-node",
                                 .retry = {{.not_before_ns = 5}, {.not_before_ns = 7}}};
    struct hf_alone_wish *wishes[] = {&wish};
    struct hf_alone_facts facts = {.presence = HF_ALONE_ALONE, .own_runtime = true, .listing = &world.listing};

    (void)snprintf(wish.pod.containers[0].name, sizeof(wish.pod.containers[0].name), "c");
    fill(&world, "-");
    facts.now_ns = 4;
    ck_assert_int_eq(hf_alone_next(&facts, wishes, 1).kind, HF_ALONE_REST);
    facts.now_ns = 5;
    ck_assert_int_eq(hf_alone_next(&facts, wishes, 1).kind, HF_ALONE_RUN);
    fill(&world, "own:-");
    ck_assert_int_eq(hf_alone_next(&facts, wishes, 1).kind, HF_ALONE_REST);
    facts.now_ns = 7;
    ck_assert_int_eq(hf_alone_next(&facts, wishes, 1).kind, HF_ALONE_CREATE);
}
END_TEST

START_TEST(statuses)
{
    struct world world;
    struct hf_alone_wish wish = {.pod = {.uid = "u1", .n_containers = 1}};

    (void)snprintf(wish.pod.containers[0].name, sizeof(wish.pod.containers[0].name), "c");
    fill(&world, "own:running");
    ck_assert(hf_alone_runs(&world.listing, &wish));
    ck_assert(!hf_alone_nothing_left(&world.listing));
    fill(&world, "own:exited");
    ck_assert(!hf_alone_runs(&world.listing, &wish));
    fill(&world, "twin:running");
    ck_assert(!hf_alone_runs(&world.listing, &wish));
    ck_assert(hf_alone_nothing_left(&world.listing));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, evidence, 0, HF_LEN(judged));
    tcase_add_test(tc, waits);
    tcase_add_test(tc, table);
    tcase_add_test(tc, backs_off);
    tcase_add_test(tc, statuses);
}

HF_TEST_MAIN("alone/step", cases)
