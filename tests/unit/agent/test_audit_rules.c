/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/audit/rules.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

/* Each row is one look at a release after the rows before it; `want` is the entry, or "". */
struct step {
    enum hf_phase phase;
    const char *version, *reason, *want;
    uint64_t at_s;
};

static struct hf_update_status status_of(const struct step *step)
{
    return (struct hf_update_status){
        .name = "edge", .phase = step->phase, .version = step->version, .reason = step->reason, .message = "text"};
}

static const char *line_of(bool worth, const struct hf_audit_event *event, char text[1024])
{
    (void)snprintf(text, 1024, "%s %s %s", hf_audit_kind_name(event->kind), event->subject, event->reason);
    return worth ? text : "";
}

static void walk(struct hf_audit_memory *memory, const struct step *steps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct hf_update_status status = status_of(&steps[i]);
        struct hf_audit_event event;
        char text[1024];
        bool worth = hf_audit_of_update(memory, &status, (100 + steps[i].at_s) * HF_NS_PER_S, &event);
        ck_assert_msg(strcmp(line_of(worth, &event, text), steps[i].want) == 0, "step %zu: '%s', not '%s'", i,
                      line_of(worth, &event, text), steps[i].want);
    }
}

START_TEST(update_from_start_to_commit)
{
    static const struct step steps[] = {
        {HF_PHASE_IDLE, "1", "", "", 0},
        {HF_PHASE_WAITING, "1", "WindowClosed", "UpdateDecision update/edge@1 WindowClosed", 0},
        {HF_PHASE_WAITING, "1", "WindowClosed", "", 1},
        {HF_PHASE_WAITING, "1", "Held", "UpdateDecision update/edge@1 Held", 1},
        {HF_PHASE_FETCHING, "1", "", "UpdateDecision update/edge@1 Fetching", 2},
        {HF_PHASE_PATCHING, "1", "", "", 2},
        {HF_PHASE_VERIFIED, "1", "", "", 2},
        {HF_PHASE_VERIFIED, "1", "TurnPending", "UpdateDecision update/edge@1 TurnPending", 2},
        {HF_PHASE_SWAPPING, "1", "", "UpdateDecision update/edge@1 Swapping", 3},
        {HF_PHASE_PROBATION, "1", "", "", 3},
        {HF_PHASE_COMMITTED, "1", "HealthPassed", "UpdateDecision update/edge@1 Committed", 4},
        {HF_PHASE_COMMITTED, "1", "HealthPassed", "", 5},
        {HF_PHASE_FETCHING, "1", "", "", 6}, /* a repair */
        {HF_PHASE_PROBATION, "1", "", "", 6},
        {HF_PHASE_COMMITTED, "1", "HealthPassed", "DriftRepaired update/edge@1 Committed", 7},
        {HF_PHASE_COMMITTED, "1", "HealthPassed", "", 8},
        {HF_PHASE_SWAPPING, "1", "", "", 9}, /* a repair that fails */
        {HF_PHASE_ROLLING_BACK, "1", "HealthFailed", "UpdateDecision update/edge@1 RollingBack", 9},
        {HF_PHASE_ROLLED_BACK, "1", "HealthFailed", "UpdateDecision update/edge@1 RolledBack", 9},
        {HF_PHASE_FETCHING, "2", "", "UpdateDecision update/edge@2 Fetching", 10},
        {HF_PHASE_INCOMPATIBLE, "3", "NoArtifact", "UpdateDecision update/edge@3 Incompatible", 10},
    };
    struct hf_audit_memory memory;

    hf_audit_memory_init(&memory);
    walk(&memory, steps, HF_LEN(steps));
    hf_audit_memory_done(&memory);
}
END_TEST

/* After a restart a source may replay old versions, each of which is refused for a moment. */
START_TEST(refusal_counts_when_steady)
{
    static const struct step steps[] = {
        {HF_PHASE_COMMITTED, "5", "HealthPassed", "UpdateDecision update/edge@5 Committed", 0},
        {HF_PHASE_REJECTED, "4", "SequenceTooLow", "", 1},
        {HF_PHASE_COMMITTED, "5", "HealthPassed", "", 2},
        {HF_PHASE_REJECTED, "4", "SequenceTooLow", "", 10},
        {HF_PHASE_REJECTED, "4", "SequenceTooLow", "", 14},
        {HF_PHASE_REJECTED, "4", "SequenceTooLow", "UpdateRefused update/edge@4 SequenceTooLow", 15},
        {HF_PHASE_REJECTED, "4", "SequenceTooLow", "", 99},
    };
    struct hf_audit_memory memory;

    hf_audit_memory_init(&memory);
    walk(&memory, steps, HF_LEN(steps));
    ck_assert_uint_le(memory.look_again_ns, 115 * HF_NS_PER_S); /* a turn is due without an event */
    hf_audit_memory_done(&memory);
}
END_TEST

static void learn(struct hf_audit_memory *memory, enum hf_audit_kind kind, const char *subject, const char *reason,
                  const char *message)
{
    struct hf_audit_event event;

    hf_audit_event_set(&event, kind, subject, reason, message);
    hf_audit_memory_learn(memory, &event);
}

START_TEST(restart_repeats_nothing)
{
    static const struct step steps[] = {{HF_PHASE_COMMITTED, "1", "HealthPassed", "", 0},
                                        {HF_PHASE_FETCHING, "1", "", "", 1},
                                        {HF_PHASE_COMMITTED, "1", "", "DriftRepaired update/edge@1 Committed", 2}};
    const struct hf_audit_policy policy = {.name = "site", .generation = 3, .is_signed = true, .override = "a:b"};
    struct hf_audit_memory memory;
    struct hf_audit_event event;

    hf_audit_memory_init(&memory);
    learn(&memory, HF_AUDIT_UPDATE_DECISION, "update/edge@1", "Swapping", "");
    learn(&memory, HF_AUDIT_UPDATE_DECISION, "update/edge@1", "Committed", "another text");
    learn(&memory, HF_AUDIT_POLICY_CHOSEN, "policy/site@3", "Signed", "");
    learn(&memory, HF_AUDIT_OVERRIDE_USED, "policy/site", "AllowPrune", "a:b");
    learn(&memory, HF_AUDIT_HOLD_SET, "site", "Held", "line 3");
    learn(&memory, HF_AUDIT_WENT_STALE, "contact", "", "since then");
    walk(&memory, steps, HF_LEN(steps));
    ck_assert(!hf_audit_of_policy(&memory, &policy, &event));
    ck_assert(!hf_audit_of_override(&memory, &policy, &event));
    ck_assert(!hf_audit_of_hold(&memory, true, "line 3", &event));
    ck_assert(!hf_audit_of_contact(&memory, true, "another text", &event));
    ck_assert(hf_audit_of_hold(&memory, true, "line 4", &event));
    ck_assert(hf_audit_of_hold(&memory, false, "", &event));
    ck_assert_int_eq(event.kind, HF_AUDIT_HOLD_ENDED);
    ck_assert(!hf_audit_of_hold(&memory, false, "", &event));
    ck_assert(hf_audit_of_contact(&memory, false, "", &event));
    ck_assert_int_eq(event.kind, HF_AUDIT_CAME_BACK);
    hf_audit_memory_done(&memory);
}
END_TEST

/* A log that dropped entries: final states of before make no new ones, other states do. */
START_TEST(forgotten_entries)
{
    static const struct step first[] = {{HF_PHASE_COMMITTED, "1", "", "", 0}};
    static const struct step then[] = {{HF_PHASE_COMMITTED, "1", "", "", 1},
                                       {HF_PHASE_COMMITTED, "2", "", "UpdateDecision update/edge@2 Committed", 2}};
    const struct hf_audit_manifest applied = {
        .name = "pods", .digest = "abcd", .message = "", .phase = HF_MANIFEST_APPLIED, .drifts = 2};
    struct hf_audit_memory memory;
    struct hf_audit_event event;

    hf_audit_memory_init(&memory);
    memory.may_have_forgotten = true;
    walk(&memory, first, HF_LEN(first));
    ck_assert(!hf_audit_of_manifest(&memory, &applied, &event));
    ck_assert(!hf_audit_of_drift(&memory, &applied, &event));
    memory.may_have_forgotten = false;
    walk(&memory, then, HF_LEN(then));
    ck_assert(!hf_audit_of_manifest(&memory, &applied, &event));
    ck_assert(!hf_audit_of_drift(&memory, &applied, &event));
    hf_audit_memory_done(&memory);
}
END_TEST

START_TEST(manifests)
{
    struct hf_audit_manifest m = {.name = "pods", .digest = "abcdef", .message = "", .phase = HF_MANIFEST_WAITING};
    struct hf_audit_memory memory;
    struct hf_audit_event event;
    char text[1024];

    hf_audit_memory_init(&memory);
    ck_assert(!hf_audit_of_manifest(&memory, &m, &event));
    m.phase = HF_MANIFEST_APPLIED;
    ck_assert_str_eq(line_of(hf_audit_of_manifest(&memory, &m, &event), &event, text),
                     "ManifestApplied manifest/pods@abcdef Applied");
    ck_assert(!hf_audit_of_drift(&memory, &m, &event));
    m.drifts = 1;
    m.reason = HF_MANIFEST_REASON_DRIFT_REPAIRED;
    ck_assert(!hf_audit_of_manifest(&memory, &m, &event));
    ck_assert_str_eq(line_of(hf_audit_of_drift(&memory, &m, &event), &event, text),
                     "DriftRepaired manifest/pods@abcdef DriftRepaired");
    ck_assert(!hf_audit_of_drift(&memory, &m, &event));
    m.drifts = 2;
    ck_assert(hf_audit_of_drift(&memory, &m, &event));
    m.phase = HF_MANIFEST_REFUSED;
    m.reason = HF_MANIFEST_REASON_UNSIGNED;
    ck_assert_str_eq(line_of(hf_audit_of_manifest(&memory, &m, &event), &event, text),
                     "ManifestRefused manifest/pods@abcdef Unsigned");
    m.phase = HF_MANIFEST_ROLLED_BACK;
    ck_assert(hf_audit_of_manifest(&memory, &m, &event));
    hf_audit_memory_done(&memory);
}
END_TEST

START_TEST(policies)
{
    struct hf_audit_policy p = {.name = NULL};
    struct hf_audit_memory memory;
    struct hf_audit_event event;
    char text[1024];

    hf_audit_memory_init(&memory);
    ck_assert_str_eq(line_of(hf_audit_of_policy(&memory, &p, &event), &event, text),
                     "PolicyChosen policy/(defaults) Defaults");
    ck_assert(!hf_audit_of_policy(&memory, &p, &event));
    p = (struct hf_audit_policy){.name = "site", .generation = 2, .distrust = "Unsigned", .distrust_text = "no key"};
    ck_assert_str_eq(line_of(hf_audit_of_policy(&memory, &p, &event), &event, text),
                     "PolicyChosen policy/site@2 Unsigned");
    ck_assert(hf_audit_of_distrust(&memory, &p, &event));
    ck_assert(!hf_audit_of_distrust(&memory, &p, &event));
    p.distrust_text = "no other key";
    ck_assert(hf_audit_of_distrust(&memory, &p, &event));
    p.generation = 3;
    ck_assert(hf_audit_of_policy(&memory, &p, &event));
    ck_assert(!hf_audit_of_override(&memory, &p, &event));
    p.override = "pods:abcdef";
    ck_assert(hf_audit_of_override(&memory, &p, &event));
    ck_assert(!hf_audit_of_override(&memory, &p, &event));
    hf_audit_memory_done(&memory);
}
END_TEST

/* Whoever lifts a guard is quoted: in full as far as there is room, and without characters that would deceive a reader. */
START_TEST(override_is_quoted)
{
    char hostile[2000] = "pods:abc\ndef\x1b[2J\xff \"x\" \\";
    struct hf_audit_policy p = {.name = "site", .override = hostile};
    struct hf_audit_memory memory;
    struct hf_audit_event event;
    size_t n = strlen(hostile);

    hf_audit_memory_init(&memory);
    memset(hostile + n, 'y', sizeof(hostile) - n - 1);
    ck_assert(hf_audit_of_override(&memory, &p, &event));
    ck_assert(strncmp(event.message, "pods:abc def [2J? \"x\" \\yyy", 26) == 0);
    ck_assert_uint_lt(strlen(event.message), HF_AUDIT_MESSAGE);
    p.override = "pods:other";
    ck_assert(hf_audit_of_override(&memory, &p, &event));
    ck_assert_str_eq(event.message, "pods:other");
    hf_audit_memory_done(&memory);
}
END_TEST

START_TEST(refused_objects)
{
    struct hf_refused refused = {"SyncPolicy", "site", "spec.interval: expected a duration"};
    struct hf_audit_memory memory, next;
    struct hf_audit_event event, first;
    char text[1024], name[32];

    hf_audit_memory_init(&memory);
    hf_audit_memory_init(&next);
    ck_assert_str_eq(line_of(hf_audit_of_refused(&memory, &refused, &event), &event, text),
                     "ObjectRefused object/SyncPolicy/site Invalid");
    ck_assert_str_eq(event.message, refused.text);
    first = event;
    ck_assert(!hf_audit_of_refused(&memory, &refused, &event));
    hf_audit_memory_learn(&next, &first); /* the next process */
    ck_assert(!hf_audit_of_refused(&next, &refused, &event));
    refused.text = "spec.priority: expected an integer";
    ck_assert(hf_audit_of_refused(&memory, &refused, &event));
    unsigned entries = 0;
    for (unsigned i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof(name), "object-%u", i % 1000);
        refused.name = name;
        entries += hf_audit_of_refused(&memory, &refused, &event);
    }
    ck_assert_uint_gt(entries, 100);
    ck_assert_uint_le(entries, HF_AUDIT_MAX_REMEMBERED / 2);
    struct hf_audit_policy policy = {.name = "site", .generation = 3}; /* others still have room */
    ck_assert(hf_audit_of_policy(&memory, &policy, &event));
    ck_assert(!hf_audit_of_policy(&memory, &policy, &event));
    hf_audit_memory_done(&memory);
    hf_audit_memory_done(&next);
}
END_TEST

START_TEST(configuration)
{
    struct hf_audit_configuration c = {.digest = "0123456789abcdef", .summary = "signed policies are required"};
    struct hf_audit_memory memory;
    struct hf_audit_event event;
    char text[1024];

    hf_audit_memory_init(&memory);
    ck_assert_str_eq(line_of(hf_audit_of_configuration(&memory, &c, &event), &event, text),
                     "ConfigurationChanged agent.yaml@0123456789ab ");
    ck_assert_str_eq(event.message, c.summary);
    ck_assert(!hf_audit_of_configuration(&memory, &c, &event));
    c = (struct hf_audit_configuration){
        .digest = "fedcba9876543210", .n_faults = 2, .fault = "manifests: no", .summary = ""};
    ck_assert_str_eq(line_of(hf_audit_of_configuration(&memory, &c, &event), &event, text),
                     "ConfigurationChanged agent.yaml@fedcba987654 Faulty");
    ck_assert_str_eq(event.message, "2 faults, the first one: manifests: no");
    hf_audit_memory_done(&memory);
    hf_audit_memory_init(&memory);
    memory.may_have_forgotten = true;
    ck_assert(!hf_audit_of_configuration(&memory, &c, &event));
    c.digest = "aaaaaaaaaaaaaaaa";
    ck_assert(hf_audit_of_configuration(&memory, &c, &event));
    hf_audit_memory_done(&memory);
}
END_TEST

START_TEST(trusted_keys)
{
    struct hf_audit_memory memory;
    struct hf_audit_event event;
    char text[1024];

    hf_audit_memory_init(&memory);
    ck_assert_str_eq(line_of(hf_audit_of_trust(&memory, "0123456789abcdef", "a", &event), &event, text),
                     "TrustChanged trust.d@0123456789ab ");
    ck_assert(!hf_audit_of_trust(&memory, "0123456789abcdef", "a", &event));
    ck_assert(hf_audit_of_trust(&memory, "fedcba9876543210", "a, b", &event));
    ck_assert_str_eq(event.message, "a, b");
    ck_assert(hf_audit_of_trust(&memory, "0123456789abcdef", "a", &event)); /* back to what was */
    hf_audit_memory_done(&memory);
}
END_TEST

/* One look at the updates first .. first + n - 1, and at a policy; returns the number of entries. */
static unsigned look_at_many(struct hf_audit_memory *memory, unsigned first, unsigned n)
{
    const struct hf_audit_policy policy = {.name = "site", .generation = 3, .is_signed = true};
    struct hf_audit_event event;
    unsigned entries = 0;
    char name[32];

    hf_audit_memory_begin_look(memory);
    for (unsigned i = 0; i < n; i++) {
        (void)snprintf(name, sizeof(name), "edge-%u", first + i);
        const struct hf_update_status status = {
            .name = name, .phase = HF_PHASE_COMMITTED, .version = "1", .reason = "", .message = ""};
        entries += hf_audit_of_update(memory, &status, 100 * HF_NS_PER_S, &event);
    }
    entries += hf_audit_of_policy(memory, &policy, &event);
    ck_assert_uint_le(memory->last.n, HF_AUDIT_MAX_REMEMBERED);
    return entries;
}

/* Names of releases come and go for years: each new state has one entry, and no later look repeats it. */
START_TEST(categories_come_and_go)
{
    struct hf_refused refused = {"SyncPolicy", "site", "spec.interval: expected a duration"};
    struct hf_audit_memory memory;
    struct hf_audit_event event;

    hf_audit_memory_init(&memory);
    ck_assert_uint_eq(look_at_many(&memory, 0, 100), 101);
    for (unsigned first = 100; first < 3000; first += 100) {
        ck_assert_uint_eq(look_at_many(&memory, first, 100), 100);
        ck_assert_uint_eq(look_at_many(&memory, first, 100), 0);
        ck_assert_uint_eq(look_at_many(&memory, first, 100), 0);
    }
    ck_assert_uint_ge(memory.last.n, HF_AUDIT_MAX_REMEMBERED - 16);
    ck_assert(hf_audit_of_refused(&memory, &refused, &event)); /* what is gone takes no room from it */
    ck_assert(!hf_audit_of_refused(&memory, &refused, &event));
    hf_audit_memory_done(&memory);
}
END_TEST

/* More states at a time than the memory has room for: the rest has no entry, rather than one at each look. */
START_TEST(more_present_states_than_room)
{
    struct hf_audit_memory memory;

    hf_audit_memory_init(&memory);
    unsigned entries = look_at_many(&memory, 0, 600);
    ck_assert(entries > HF_AUDIT_MAX_REMEMBERED - 16 && entries <= HF_AUDIT_MAX_REMEMBERED);
    for (int i = 0; i < 5; i++)
        ck_assert_uint_eq(look_at_many(&memory, 0, 600), 0);
    ck_assert_uint_eq(look_at_many(&memory, 300, 300), 0); /* the first 300 have been seen one look ago */
    ck_assert_uint_eq(look_at_many(&memory, 300, 300), 601 - entries);
    ck_assert_uint_eq(look_at_many(&memory, 300, 300), 0);
    hf_audit_memory_done(&memory);
}
END_TEST

/* A process that learns more categories than it can remember forgets the oldest ones, but none of the few states that
 * have no name. In its first look it forgets none of the rest. */
START_TEST(learning_more_than_there_is_room)
{
    char subject[32];
    struct hf_audit_memory memory;

    hf_audit_memory_init(&memory);
    learn(&memory, HF_AUDIT_POLICY_CHOSEN, "policy/site@3", "Signed", "");
    for (unsigned i = 0; i < 2000; i++) {
        (void)snprintf(subject, sizeof(subject), "update/edge-%u@1", i);
        learn(&memory, HF_AUDIT_UPDATE_DECISION, subject, "Committed", "");
    }
    ck_assert_uint_eq(look_at_many(&memory, 1600, 400), 0);
    ck_assert_uint_eq(look_at_many(&memory, 1600, 400), 0);
    ck_assert_uint_eq(look_at_many(&memory, 1600, 402), 2);
    hf_audit_memory_done(&memory);
}
END_TEST

/* A state that has never been on makes no entry about its end. */
START_TEST(first_process)
{
    struct hf_audit_memory memory;
    struct hf_audit_event event;

    hf_audit_memory_init(&memory);
    ck_assert(!hf_audit_of_hold(&memory, false, "", &event));
    ck_assert(!hf_audit_of_contact(&memory, false, "", &event));
    ck_assert(hf_audit_of_contact(&memory, true, "since", &event));
    ck_assert(!hf_audit_of_contact(&memory, true, "since", &event));
    hf_audit_memory_done(&memory);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, update_from_start_to_commit);
    tcase_add_test(tc, refusal_counts_when_steady);
    tcase_add_test(tc, restart_repeats_nothing);
    tcase_add_test(tc, forgotten_entries);
    tcase_add_test(tc, manifests);
    tcase_add_test(tc, policies);
    tcase_add_test(tc, override_is_quoted);
    tcase_add_test(tc, refused_objects);
    tcase_add_test(tc, configuration);
    tcase_add_test(tc, trusted_keys);
    tcase_add_test(tc, categories_come_and_go);
    tcase_add_test(tc, more_present_states_than_room);
    tcase_add_test(tc, learning_more_than_there_is_room);
    tcase_add_test(tc, first_process);
}

HF_TEST_MAIN("agent/audit_rules", cases)
