/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/steady.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

#define S HF_NS_PER_S
#define REFRESH (300 * S)

/* One release over time: how it stands, and what is said of it. */
struct step {
    uint64_t at_s;
    enum hf_phase phase;
    unsigned attempts;
    const char *reason, *message;
    enum hf_phase want_phase;
    const char *want_message;
};

static const struct {
    const char *name;
    struct step steps[8];
} stories[] = {
    {"straight to the end",
     {{1, HF_PHASE_FETCHING, 1, "Downloading", "a", HF_PHASE_FETCHING, "a"},
      {2, HF_PHASE_PATCHING, 1, "Patching", "b", HF_PHASE_PATCHING, "b"},
      {3, HF_PHASE_COMMITTED, 1, "HealthPassed", "c", HF_PHASE_COMMITTED, "c"}}},
    {"fails and is tried again",
     {{1, HF_PHASE_FETCHING, 1, "Downloading", "a", HF_PHASE_FETCHING, "a"},
      {2, HF_PHASE_WAITING, 1, "DownloadFailed", "no route", HF_PHASE_WAITING, "no route"},
      {5, HF_PHASE_FETCHING, 2, "Downloading", "b", HF_PHASE_WAITING, "no route"},
      {6, HF_PHASE_WAITING, 2, "DownloadFailed", "refused", HF_PHASE_WAITING, "no route"},
      {20, HF_PHASE_FETCHING, 3, "Downloading", "c", HF_PHASE_WAITING, "no route"},
      {25, HF_PHASE_PATCHING, 3, "Patching", "d", HF_PHASE_PATCHING, "d"}}},
    {"the new try lasts",
     {{2, HF_PHASE_WAITING, 1, "DownloadFailed", "no route", HF_PHASE_WAITING, "no route"},
      {5, HF_PHASE_FETCHING, 2, "Downloading", "b", HF_PHASE_WAITING, "no route"},
      {64, HF_PHASE_FETCHING, 2, "Downloading", "c", HF_PHASE_WAITING, "no route"},
      {65, HF_PHASE_FETCHING, 2, "Downloading", "d", HF_PHASE_FETCHING, "d"},
      {70, HF_PHASE_WAITING, 2, "DownloadFailed", "cut", HF_PHASE_WAITING, "cut"}}},
    {"another failure is news",
     {{2, HF_PHASE_WAITING, 1, "DownloadFailed", "no route", HF_PHASE_WAITING, "no route"},
      {5, HF_PHASE_FETCHING, 2, "Downloading", "b", HF_PHASE_WAITING, "no route"},
      {6, HF_PHASE_WAITING, 2, "HashMismatch", "wrong", HF_PHASE_WAITING, "wrong"}}},
    {"the details are renewed now and then",
     {{2, HF_PHASE_WAITING, 1, "DownloadFailed", "no route", HF_PHASE_WAITING, "no route"},
      {301, HF_PHASE_WAITING, 9, "DownloadFailed", "refused", HF_PHASE_WAITING, "no route"},
      {302, HF_PHASE_WAITING, 9, "DownloadFailed", "refused", HF_PHASE_WAITING, "refused"}}},
    {"waiting before any attempt is something else",
     {{1, HF_PHASE_WAITING, 0, "WindowClosed", "a", HF_PHASE_WAITING, "a"},
      {2, HF_PHASE_FETCHING, 1, "Downloading", "b", HF_PHASE_FETCHING, "b"}}},
};

START_TEST(story)
{
    struct hf_steady steady;

    hf_steady_init(&steady);
    for (size_t i = 0; i < HF_LEN(stories[_i].steps) && stories[_i].steps[i].at_s != 0; i++) {
        const struct step *step = &stories[_i].steps[i];
        struct hf_update_status now = {.name = "r",
                                       .digest = "d",
                                       .phase = step->phase,
                                       .attempts = step->attempts,
                                       .reason = step->reason,
                                       .message = step->message,
                                       .settled = step->phase == HF_PHASE_COMMITTED};
        struct hf_update_status said;
        uint64_t wait = HF_NEVER;
        ck_assert_int_eq(hf_steady_report(&steady, &now, REFRESH, step->at_s * S, &said, &wait), 0);
        ck_assert_msg(said.phase == step->want_phase && strcmp(said.message, step->want_message) == 0,
                      "%s, at %d s: %s '%s'", stories[_i].name, (int)step->at_s, hf_phase_name(said.phase),
                      said.message);
        ck_assert_msg((wait != HF_NEVER) == (step->phase == HF_PHASE_FETCHING && said.phase == HF_PHASE_WAITING),
                      "%s, at %d s: wait", stories[_i].name, (int)step->at_s);
    }
    hf_steady_done(&steady);
}
END_TEST

START_TEST(another_release_of_the_name)
{
    struct hf_steady steady;
    struct hf_update_status one = {.name = "r", .digest = "1", .phase = HF_PHASE_WAITING, .attempts = 3}, said;
    struct hf_update_status two = {.name = "r", .digest = "2", .phase = HF_PHASE_FETCHING, .attempts = 4};
    uint64_t wait = HF_NEVER;

    hf_steady_init(&steady);
    ck_assert_int_eq(hf_steady_report(&steady, &one, REFRESH, S, &said, &wait), 0);
    ck_assert_int_eq(hf_steady_report(&steady, &two, REFRESH, 2 * S, &said, &wait), 0);
    ck_assert_int_eq(said.phase, HF_PHASE_FETCHING);
    ck_assert_str_eq(said.digest, "2");
    hf_steady_done(&steady);
}
END_TEST

/* A state is settled from the first answer that says so: an engine that is about to look again says no each time. */
START_TEST(settled_within_a_state)
{
    struct hf_update_status now = {
        .name = "r", .digest = "d", .phase = HF_PHASE_WAITING, .reason = "Held", .message = "a"};
    static const struct {
        uint64_t at_s;
        const char *reason;
        bool settled, want;
    } steps[] = {{1, "Held", false, false},  {2, "Held", true, true},       {3, "Held", false, true},
                 {400, "Held", false, true}, {401, "Queued", false, false}, {402, "Queued", true, true}};
    struct hf_update_status said;
    struct hf_steady steady;

    hf_steady_init(&steady);
    for (size_t i = 0; i < HF_LEN(steps); i++) {
        uint64_t wait = HF_NEVER;
        now.settled = steps[i].settled;
        now.reason = steps[i].reason;
        ck_assert_int_eq(hf_steady_report(&steady, &now, REFRESH, steps[i].at_s * S, &said, &wait), 0);
        ck_assert_msg(said.settled == steps[i].want, "at %d s", (int)steps[i].at_s);
    }
    hf_steady_done(&steady);
}
END_TEST

/* Names of releases come and go for years. */
START_TEST(forgets_what_is_gone)
{
    struct hf_steady steady;
    struct hf_update_status reported;
    uint64_t wait = HF_NEVER;
    char name[32];

    hf_steady_init(&steady);
    for (unsigned i = 0; i < 2000; i++) {
        (void)snprintf(name, sizeof(name), "edge-%u", i);
        const struct hf_update_status status = {.name = name,
                                                .phase = HF_PHASE_COMMITTED,
                                                .reason = "HealthPassed",
                                                .message = "a"},
                                      stays = {.name = "stays",
                                               .phase = HF_PHASE_COMMITTED,
                                               .reason = "HealthPassed",
                                               .message = i == 0 ? "first" : "later"};
        ck_assert_int_eq(hf_steady_report(&steady, &stays, HF_NEVER, (1 + i) * S, &reported, &wait), 0);
        ck_assert_str_eq(reported.message, "first");
        ck_assert_int_eq(hf_steady_report(&steady, &status, HF_NEVER, (1 + i) * S, &reported, &wait), 0);
        ck_assert_uint_le(steady.reported.n, HF_STEADY_MAX);
    }
    hf_steady_done(&steady);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, settled_within_a_state);
    tcase_add_test(tc, forgets_what_is_gone);
    tcase_add_loop_test(tc, story, 0, HF_LEN(stories));
    tcase_add_test(tc, another_release_of_the_name);
}

HF_TEST_MAIN("sync/steady", cases)
