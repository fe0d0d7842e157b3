/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/readiness.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/check_main.h"

/* The two things of an update that a verdict looks at, and what it quotes. */
#define UP(phase_, settled_, reason_, message_)                                                                        \
    {                                                                                                                  \
        .name = "r", .version = "1.2", .phase = (phase_), .settled = (settled_), .reason = (reason_),                  \
        .message = (message_)                                                                                          \
    }

static const struct {
    const char *name;
    bool unknown;
    struct hf_update_status updates[3];
    size_t n;
    struct hf_refused refused[1];
    size_t n_refused;
    const char *ready, *reason, *message;
    const char *reconciling, *stalled; /* reasons; NULL: not present */
} rows[] = {
    {"never heard",
     true,
     {{0}},
     0,
     {{0}},
     0,
     "Unknown",
     "NotSynced",
     "this node has not received the desired state yet",
     NULL,
     NULL},
    {"nothing selected",
     false,
     {{0}},
     0,
     {{0}},
     0,
     "True",
     "NothingSelected",
     "no update selects this node",
     NULL,
     NULL},
    {"committed",
     false,
     {UP(HF_PHASE_COMMITTED, true, "HealthPassed", "")},
     1,
     {{0}},
     0,
     "True",
     "Settled",
     "1 of 1 updates committed",
     NULL,
     NULL},
    {"looked over again",
     false,
     {UP(HF_PHASE_COMMITTED, false, "HealthPassed", "")},
     1,
     {{0}},
     0,
     "True",
     "Settled",
     "1 of 1 updates committed",
     NULL,
     NULL},
    {"incompatible is an answer",
     false,
     {UP(HF_PHASE_COMMITTED, true, "HealthPassed", ""), UP(HF_PHASE_INCOMPATIBLE, true, "NoArtifact", "")},
     2,
     {{0}},
     0,
     "True",
     "Settled",
     "1 of 2 updates committed",
     NULL,
     NULL},
    {"on its way",
     false,
     {UP(HF_PHASE_FETCHING, false, "Fetching", "12 of 30 MiB")},
     1,
     {{0}},
     0,
     "False",
     "Fetching",
     "r 1.2: Fetching: 12 of 30 MiB",
     "Fetching",
     NULL},
    {"waits for a window",
     false,
     {UP(HF_PHASE_WAITING, true, "Window", NULL)},
     1,
     {{0}},
     0,
     "False",
     "Window",
     "r 1.2: Waiting: Window",
     NULL,
     NULL},
    {"waits for its wave",
     false,
     {UP(HF_PHASE_COMMITTED, true, "HealthPassed", ""), UP(HF_PHASE_WAITING, true, "NotAdmitted", "is it running?")},
     2,
     {{0}},
     0,
     "True",
     "NotAdmitted",
     "r 1.2: Waiting: is it running?",
     NULL,
     NULL},
    {"waits for its turn",
     false,
     {UP(HF_PHASE_VERIFIED, true, "TurnPending", NULL)},
     1,
     {{0}},
     0,
     "True",
     "TurnPending",
     "r 1.2: Verified: TurnPending",
     NULL,
     NULL},
    {"one waits for its wave, another is on its way",
     false,
     {UP(HF_PHASE_WAITING, true, "NotAdmitted", ""), UP(HF_PHASE_FETCHING, false, "Downloading", "1 of 2 MiB")},
     2,
     {{0}},
     0,
     "False",
     "Downloading",
     "r 1.2: Fetching: 1 of 2 MiB",
     "Downloading",
     NULL},
    {"waits for its wave, and an object is refused",
     false,
     {UP(HF_PHASE_WAITING, true, "NotAdmitted", "")},
     1,
     {{"SyncPolicy", "p", "spec.interval: too short"}},
     1,
     "False",
     "ObjectRefused",
     "SyncPolicy 'p': spec.interval: too short",
     NULL,
     "ObjectRefused"},
    {"rolled back before one on its way",
     false,
     {UP(HF_PHASE_PROBATION, false, "Probation", ""), UP(HF_PHASE_ROLLED_BACK, true, "HealthDeadline", "no answer")},
     2,
     {{0}},
     0,
     "False",
     "HealthDeadline",
     "r 1.2: RolledBack: no answer",
     "Probation",
     "HealthDeadline"},
    {"rejected",
     false,
     {UP(HF_PHASE_REJECTED, true, "SignatureInvalid", "key k1")},
     1,
     {{0}},
     0,
     "False",
     "SignatureInvalid",
     "r 1.2: Rejected: key k1",
     NULL,
     "SignatureInvalid"},
    {"refused object alone",
     false,
     {UP(HF_PHASE_COMMITTED, true, "HealthPassed", "")},
     1,
     {{"EdgeUpdate", "x", "spec: expected an object"}},
     1,
     "False",
     "ObjectRefused",
     "EdgeUpdate 'x': spec: expected an object",
     NULL,
     "ObjectRefused"},
    {"refused object before anything was heard",
     true,
     {{0}},
     0,
     {{"SyncPolicy", "p", "spec.interval: too short"}},
     1,
     "False",
     "ObjectRefused",
     "SyncPolicy 'p': spec.interval: too short",
     NULL,
     "ObjectRefused"},
    {"no reason given",
     false,
     {UP(HF_PHASE_VERIFIED, false, NULL, NULL)},
     1,
     {{0}},
     0,
     "False",
     "Verified",
     "r 1.2: Verified: ",
     "Verified",
     NULL},
};

START_TEST(verdict_of)
{
    struct hf_readiness_params params = {.known = !rows[_i].unknown,
                                         .updates = rows[_i].updates,
                                         .n_updates = rows[_i].n,
                                         .refused = rows[_i].refused,
                                         .n_refused = rows[_i].n_refused};
    struct hf_readiness verdict;

    hf_readiness_judge(&params, &verdict);
    ck_assert_msg(strcmp(verdict.ready.status, rows[_i].ready) == 0, "%s: %s", rows[_i].name, verdict.ready.status);
    ck_assert_str_eq(verdict.ready.reason, rows[_i].reason);
    ck_assert_str_eq(verdict.ready.message, rows[_i].message);
    ck_assert_msg(verdict.is_reconciling == (rows[_i].reconciling != NULL), "%s: reconciling", rows[_i].name);
    ck_assert_msg(verdict.is_stalled == (rows[_i].stalled != NULL), "%s: stalled", rows[_i].name);
    if (verdict.is_reconciling)
        ck_assert_str_eq(verdict.reconciling.reason, rows[_i].reconciling);
    if (verdict.is_stalled)
        ck_assert_str_eq(verdict.stalled.reason, rows[_i].stalled);
}
END_TEST

/* An API server refuses text that is no UTF-8: a long message is cut before the character that does not fit. */
/* An agent that stays tries a hook before the swap again; one with --once ends with what it says. */
START_TEST(hook_that_fails)
{
    const struct hf_update_status updates[] = {UP(HF_PHASE_VERIFIED, false, "HookFailed", "no space for the backup")};
    struct hf_readiness_params params = {.known = true, .updates = updates, .n_updates = 1};
    struct hf_readiness verdict;

    hf_readiness_judge(&params, &verdict);
    ck_assert(verdict.is_reconciling && !verdict.is_stalled);
    params.once = true;
    hf_readiness_judge(&params, &verdict);
    ck_assert(!verdict.is_reconciling && verdict.is_stalled);
    ck_assert_str_eq(verdict.stalled.reason, "HookFailed");
    ck_assert_str_eq(verdict.ready.status, "False");
    ck_assert_str_eq(verdict.ready.message, "r 1.2: Verified: no space for the backup");
}
END_TEST

START_TEST(long_message)
{
    char message[2600] = "x";

    for (int i = 0; i < 1250; i++)
        (void)strncat(message, "\xc3\xa4", 3);
    struct hf_refused refused = {"EdgeUpdate", "u", message};
    struct hf_readiness_params params = {.known = true, .refused = &refused, .n_refused = 1};
    struct hf_readiness verdict;

    hf_readiness_judge(&params, &verdict);
    size_t n = strlen(verdict.ready.message);
    ck_assert_uint_ge(n, HF_READINESS_MESSAGE - 2);
    ck_assert_int_eq((unsigned char)verdict.ready.message[n - 1], 0xa4);
}
END_TEST

/* Why is told once, and names are told as far as there is room. */
START_TEST(many_refused)
{
    char name[128], text[2000];
    struct hf_refused refused[40];
    char names[40][64];
    struct hf_readiness verdict;

    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (size_t i = 0; i < HF_LEN(refused); i++) {
        (void)snprintf(names[i], sizeof(names[i]), "update-number-%02zu", i);
        refused[i] = (struct hf_refused){"EdgeUpdate", names[i], text};
    }
    struct hf_readiness_params params = {.known = true, .refused = refused, .n_refused = HF_LEN(refused)};
    hf_readiness_judge(&params, &verdict);
    (void)snprintf(name, sizeof(name), "EdgeUpdate '%s': yyy", names[0]);
    ck_assert_int_eq(strncmp(verdict.ready.message, name, strlen(name)), 0);
    ck_assert_msg(strstr(verdict.ready.message, "; also EdgeUpdate 'update-number-01', ") != NULL, "%s",
                  verdict.ready.message);
    const char *more = strstr(verdict.ready.message, " and ");
    ck_assert_msg(more != NULL && strcmp(more + strlen(more) - 5, " more") == 0, "%s", verdict.ready.message);
    ck_assert_str_eq(verdict.stalled.message, "EdgeUpdate 'update-number-00'; see Ready");
}
END_TEST

START_TEST(others_that_wait)
{
    struct hf_update_status update = UP(HF_PHASE_COMMITTED, true, "HealthPassed", "");
    struct hf_readiness_params params = {
        .known = true, .updates = &update, .n_updates = 1, .superseded = "old", .not_admitted = "new, newer"};
    struct hf_readiness verdict;

    hf_readiness_judge(&params, &verdict);
    ck_assert_str_eq(verdict.ready.message, "1 of 1 updates committed; Superseded: old; NotAdmitted: new, newer");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, verdict_of, 0, HF_LEN(rows));
    tcase_add_test(tc, hook_that_fails);
    tcase_add_test(tc, long_message);
    tcase_add_test(tc, many_refused);
    tcase_add_test(tc, others_that_wait);
}

HF_TEST_MAIN("sync/readiness", cases)
