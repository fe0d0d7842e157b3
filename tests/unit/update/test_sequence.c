/* SPDX-License-Identifier: Apache-2.0 */
/* Which release may follow which: a table of histories, and a property of all of them. */
#include <inttypes.h>

#include "support/check_main.h"
#include "update/rules/sequence.h"

enum { MAX_STEPS = 10, RELEASES = 8, ROUNDS = 20000, REPLAYS = 40 };

/* A release of the tables: 'a'..'h' stands for its digest. */
struct step {
    char id;
    uint64_t sequence, from, also_from; /* from: downgradeFrom; 0: none */
    enum hf_reason want;
};

static struct hf_release release_of(const struct step *step)
{
    struct hf_release release = {.name = "app", .version = "1", .sequence = step->sequence};

    memset(release.digest, step->id, 64);
    release.digest[64] = '\0';
    if (step->from != 0)
        release.downgrade_from[release.n_downgrade_from++] = step->from;
    if (step->also_from != 0)
        release.downgrade_from[release.n_downgrade_from++] = step->also_from;
    return release;
}

static const struct {
    const char *name;
    struct step steps[MAX_STEPS];
} histories[] = {
    {"up", {{'a', 1, 0, 0, HF_R_None}, {'b', 2, 0, 0, HF_R_None}, {'c', 9, 0, 0, HF_R_None}}},
    {"the same again", {{'a', 5, 0, 0, HF_R_None}, {'a', 5, 0, 0, HF_R_None}}},
    {"down without a word", {{'a', 5, 0, 0, HF_R_None}, {'b', 3, 0, 0, HF_R_SequenceTooLow}}},
    {"down from another sequence", {{'a', 5, 0, 0, HF_R_None}, {'b', 3, 4, 6, HF_R_SequenceTooLow}}},
    {"equal sequence, another release", {{'a', 5, 0, 0, HF_R_None}, {'b', 5, 0, 0, HF_R_SequenceReused}}},
    {"equal sequence, signed as a downgrade", {{'a', 5, 0, 0, HF_R_None}, {'b', 5, 5, 0, HF_R_SequenceReused}}},
    {"down, and the release that was left",
     {{'a', 5, 0, 0, HF_R_None}, {'b', 3, 5, 0, HF_R_None}, {'a', 5, 0, 0, HF_R_SequenceTooLow}}},
    {"down, and again while it runs",
     {{'a', 5, 0, 0, HF_R_None}, {'b', 3, 5, 0, HF_R_None}, {'b', 3, 5, 0, HF_R_None}}},
    {"down, up, and a replay that lists only the old one",
     {{'a', 5, 0, 0, HF_R_None},
      {'b', 3, 5, 0, HF_R_None},
      {'c', 6, 0, 0, HF_R_None},
      {'b', 3, 5, 0, HF_R_SequenceTooLow}}},
    {"down, up, and a replay that lists both",
     {{'a', 5, 0, 0, HF_R_None},
      {'b', 3, 5, 6, HF_R_None},
      {'c', 6, 0, 0, HF_R_None},
      {'b', 3, 5, 6, HF_R_DowngradeUsed},
      {'d', 3, 6, 0, HF_R_None}}},
    {"two that list each other serve once each",
     {{'a', 5, 3, 0, HF_R_None},
      {'b', 3, 5, 0, HF_R_None},
      {'a', 5, 3, 0, HF_R_None},
      {'b', 3, 5, 0, HF_R_DowngradeUsed}}},
    {"between the two, without a word",
     {{'a', 5, 0, 0, HF_R_None}, {'b', 3, 5, 0, HF_R_None}, {'c', 4, 0, 0, HF_R_SequenceTooLow}}},
    {"down twice", {{'a', 5, 0, 0, HF_R_None}, {'b', 3, 5, 0, HF_R_None}, {'c', 2, 3, 0, HF_R_None}}},
    {"down twice needs the sequence that runs",
     {{'a', 5, 0, 0, HF_R_None}, {'b', 3, 5, 0, HF_R_None}, {'c', 2, 5, 0, HF_R_SequenceTooLow}}},
    {"it was there before, on the way up",
     {{'b', 3, 5, 0, HF_R_None}, {'a', 5, 0, 0, HF_R_None}, {'b', 3, 5, 0, HF_R_None}}},
    {"another release with the sequence gone down to",
     {{'a', 5, 0, 0, HF_R_None}, {'b', 3, 5, 0, HF_R_None}, {'c', 3, 5, 3, HF_R_SequenceReused}}},
};

START_TEST(table)
{
    struct hf_sequence_history history = {.n_used = 0};
    const struct step *steps = histories[_i].steps;
    char text[200] = "";

    for (size_t i = 0; i < MAX_STEPS && steps[i].id != '\0'; i++) {
        struct hf_release release = release_of(&steps[i]);
        enum hf_reason got = hf_sequence_judge(&history, &release, text, sizeof(text));
        ck_assert_msg(got == steps[i].want, "%s: step %zu: %s (%s)", histories[_i].name, i, hf_reason_name(got), text);
        ck_assert_msg(got == HF_R_None || text[0] != '\0', "%s: step %zu has no text", histories[_i].name, i);
        if (got == HF_R_None)
            hf_sequence_commit(&history, release.sequence, release.digest);
    }
}
END_TEST

/* ---- every replay ------------------------------------------------------------------------------------------------ */

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

/* What the signer allowed, in words of its own: the whole path of the node so far, not a summary of it. */
struct path {
    struct hf_release taken[REPLAYS + RELEASES];
    size_t n;
};

static bool was_allowed(const struct path *path, const struct hf_release *next)
{
    uint64_t highest = 0;
    bool listed = false;

    if (path->n == 0)
        return true;
    const struct hf_release *now = &path->taken[path->n - 1];
    if (strcmp(now->digest, next->digest) == 0)
        return true;
    for (size_t i = 0; i < path->n; i++)
        highest = HF_MAX(highest, path->taken[i].sequence);
    if (next->sequence > highest)
        return true;
    for (size_t i = 0; i < next->n_downgrade_from; i++)
        listed = listed || next->downgrade_from[i] == now->sequence;
    /* A way down serves once: nobody went this way from above to this release before. */
    for (size_t i = 1, top = 0; i < path->n; i++) {
        top = HF_MAX(top, path->taken[i - 1].sequence);
        if (strcmp(path->taken[i].digest, next->digest) == 0 && path->taken[i].sequence <= top &&
            strcmp(path->taken[i - 1].digest, next->digest) != 0)
            return false;
    }
    return listed;
}

static void make_releases(uint64_t *seed, struct hf_release releases[RELEASES])
{
    for (size_t i = 0; i < RELEASES; i++) {
        struct step step = {.id = (char)('a' + i), .sequence = 1 + draw(seed, 6)};
        if (draw(seed, 3) == 0)
            step.from = 1 + draw(seed, 6);
        if (draw(seed, 6) == 0)
            step.also_from = 1 + draw(seed, 6);
        releases[i] = release_of(&step);
    }
}

/* An attacker who holds every signed release replays them in any order: the node only ever goes where a signer let it
 * go, and the number of ways down is at most the number of releases that are signed as one. A power cut between the two
 * places of the floor, and a lost state folder, change nothing. */
START_TEST(no_replay_goes_where_nobody_signed)
{
    for (uint64_t round = 0; round < ROUNDS; round++) {
        struct hf_release releases[RELEASES];
        struct hf_sequence_history history = {.n_used = 0}, copy = history;
        static struct path path;
        size_t down = 0, ways_down = 0;
        uint64_t seed = round, top = 0;
        char text[200];

        path.n = 0;
        make_releases(&seed, releases);
        for (size_t i = 0; i < RELEASES; i++)
            ways_down += releases[i].n_downgrade_from > 0;
        for (size_t i = 0; i < REPLAYS; i++) {
            const struct hf_release *next = &releases[draw(&seed, RELEASES)];
            if (hf_sequence_judge(&history, next, text, sizeof(text)) != HF_R_None)
                continue;
            ck_assert_msg(was_allowed(&path, next), "round %" PRIu64 ": to %c, %" PRIu64, round, next->digest[0],
                          next->sequence);
            bool moves = !hf_sequence_is_current(&history, next->digest);
            down += moves && next->sequence <= top;
            top = HF_MAX(top, next->sequence);
            path.taken[path.n++] = *next;
            hf_sequence_commit(&history, next->sequence, next->digest);
            if (draw(&seed, 8) == 0) { /* the copy of the last commit was not written, or one of the two was lost */
                struct hf_sequence_history joined = {.n_used = 0};
                hf_sequence_join(&joined, draw(&seed, 2) == 0 ? &history : &copy);
                hf_sequence_join(&joined, &history);
                hf_sequence_join(&joined, &copy);
                ck_assert_int_eq(memcmp(&joined.top, &history.top, sizeof(joined.top)), 0);
                ck_assert_int_eq(memcmp(&joined.current, &history.current, sizeof(joined.current)), 0);
            }
            copy = history;
        }
        ck_assert_msg(down <= ways_down, "round %" PRIu64 ": %zu times down by %zu releases", round, down, ways_down);
    }
}
END_TEST

/* The number alone, as earlier agents kept it: the journal or the release itself completes it. */
START_TEST(number_of_an_earlier_agent)
{
    struct hf_sequence_history history = {.top = {.sequence = 5}, .current = {.sequence = 5}};
    struct hf_release same = release_of(&(struct step){.id = 'a', .sequence = 5});
    struct hf_release other = release_of(&(struct step){.id = 'b', .sequence = 5});
    struct hf_release lower = release_of(&(struct step){.id = 'c', .sequence = 3});
    char text[200];

    ck_assert_int_eq(hf_sequence_judge(&history, &lower, text, sizeof(text)), HF_R_SequenceTooLow);
    ck_assert_int_eq(hf_sequence_judge(&history, &same, text, sizeof(text)), HF_R_None);
    hf_sequence_commit(&history, 5, same.digest);
    ck_assert_int_eq(hf_sequence_judge(&history, &same, text, sizeof(text)), HF_R_None);
    ck_assert_int_eq(hf_sequence_judge(&history, &other, text, sizeof(text)), HF_R_SequenceReused);
    /* The earlier agent had gone down by allowDowngrade: its journal says so. */
    struct hf_sequence_history down = {.top = {.sequence = 5}, .current = {.sequence = 5}};
    hf_sequence_commit(&down, 3, lower.digest);
    ck_assert(hf_sequence_is_current(&down, lower.digest));
    ck_assert_uint_eq(down.top.sequence, 5);
    ck_assert_int_eq(hf_sequence_judge(&down, &same, text, sizeof(text)), HF_R_SequenceTooLow);
}
END_TEST

START_TEST(a_full_record_lets_nothing_down)
{
    struct hf_sequence_history history = {.n_used = 0};
    struct hf_release release;
    char text[200];

    hf_sequence_commit(&history, 1000, "start");
    for (uint64_t i = 0; i < HF_SEQUENCE_MAX_USED + 1; i++) {
        release = release_of(&(struct step){.id = 'x', .sequence = 900 - i, .from = i == 0 ? 1000 : 901 - i});
        (void)snprintf(release.digest, sizeof(release.digest), "%064" PRIu64, i);
        enum hf_reason got = hf_sequence_judge(&history, &release, text, sizeof(text));
        ck_assert_int_eq(got, i < HF_SEQUENCE_MAX_USED ? HF_R_None : HF_R_DowngradeUsed);
        if (got == HF_R_None)
            hf_sequence_commit(&history, release.sequence, release.digest);
    }
    release.sequence = 1001;
    ck_assert_int_eq(hf_sequence_judge(&history, &release, text, sizeof(text)), HF_R_None);
}
END_TEST

static void sequence(TCase *tc)
{
    tcase_add_loop_test(tc, table, 0, HF_LEN(histories));
    tcase_add_test(tc, no_replay_goes_where_nobody_signed);
    tcase_add_test(tc, number_of_an_earlier_agent);
    tcase_add_test(tc, a_full_record_lets_nothing_down);
}
HF_TEST_MAIN("update/sequence", sequence)
