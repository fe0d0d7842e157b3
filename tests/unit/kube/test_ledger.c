/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/rules/ledger.h"

#include "support/check_main.h"
#include "support/fakes/simloop.h"

static struct hf_ledger ledger;
static char gone_names[256];

static void gone(void *arg, const char *name)
{
    (void)arg;
    (void)snprintf(gone_names + strlen(gone_names), sizeof(gone_names) - strlen(gone_names), "%s ", name);
}

static void fresh(void)
{
    hf_ledger_init(&ledger, HF_LEDGER_MAX_OBJECTS);
    gone_names[0] = '\0';
}

static enum hf_ledger_change event(const char *name, uint64_t version, bool deleted)
{
    enum hf_ledger_change verdict;

    ck_assert_int_eq(hf_ledger_event(&ledger, name, version, deleted, &verdict), 0);
    return verdict;
}

static enum hf_ledger_change item(const char *name, uint64_t version)
{
    enum hf_ledger_change verdict;

    ck_assert_int_eq(hf_ledger_item(&ledger, name, version, &verdict), 0);
    return verdict;
}

static enum hf_ledger_change meta(const char *name, uint64_t version, bool deleted, bool live)
{
    enum hf_ledger_change verdict;

    ck_assert_int_eq(hf_ledger_meta_event(&ledger, name, version, deleted, live, &verdict), 0);
    return verdict;
}

START_TEST(unreadable_versions)
{
    fresh();
    (void)item("a", 5);
    (void)item("b", 5);
    hf_ledger_begin(&ledger);
    ck_assert(hf_ledger_unreadable(&ledger, "a", 7));
    ck_assert(!hf_ledger_unreadable(&ledger, "a", 4)); /* older than the good one */
    ck_assert(hf_ledger_unreadable(&ledger, "c", 8));  /* never reported: it cannot be gone */
    hf_ledger_end(&ledger, 9, gone, NULL);
    ck_assert_str_eq(gone_names, "b ");
    hf_ledger_begin(&ledger);
    hf_ledger_end(&ledger, 10, gone, NULL);
    ck_assert_str_eq(gone_names, "b a ");
    hf_ledger_done(&ledger);
}
END_TEST

START_TEST(events_of_a_real_server)
{
    fresh();
    ck_assert_int_eq(event("a", 5, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("a", 5, false), HF_LEDGER_NOTHING); /* came twice */
    ck_assert_int_eq(event("a", 4, false), HF_LEDGER_OLD);
    ck_assert_int_eq(event("a", 3, true), HF_LEDGER_OLD); /* the deletion of an earlier one of that name */
    ck_assert_int_eq(event("a", 6, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("a", 7, true), HF_LEDGER_GONE);
    ck_assert_int_eq(event("a", 7, true), HF_LEDGER_NOTHING);
    ck_assert_int_eq(event("b", 0, false), HF_LEDGER_UPSERT); /* versions that are no numbers */
    ck_assert_int_eq(event("b", 0, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("b", 0, true), HF_LEDGER_GONE);
    hf_ledger_done(&ledger);
}
END_TEST

START_TEST(a_round_says_what_is_gone)
{
    fresh();
    ck_assert_int_eq(hf_ledger_know(&ledger, "known"), 0);
    ck_assert_int_eq(hf_ledger_know(&ledger, "lost"), 0);
    hf_ledger_begin(&ledger);
    ck_assert_int_eq(item("known", 3), HF_LEDGER_UPSERT); /* which version is held is not known */
    ck_assert_int_eq(item("new", 4), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("newer", 12, false),
                     HF_LEDGER_UPSERT); /* an event beside a list that was answered before it */
    hf_ledger_end(&ledger, 10, gone, NULL);
    ck_assert_str_eq(gone_names, "lost ");
    /* A round that breaks says nothing, and the next counts from the beginning. */
    hf_ledger_begin(&ledger);
    ck_assert_int_eq(item("known", 3), HF_LEDGER_NOTHING);
    hf_ledger_begin(&ledger);
    ck_assert_int_eq(item("new", 4), HF_LEDGER_NOTHING);
    ck_assert_int_eq(item("newer", 11), HF_LEDGER_OLD);
    hf_ledger_end(&ledger, 20, gone, NULL);
    ck_assert_str_eq(gone_names, "lost known ");
    /* A doubtful one neither. */
    hf_ledger_begin(&ledger);
    hf_ledger_end(&ledger, 15, NULL, NULL);
    ck_assert_str_eq(gone_names, "lost known ");
    hf_ledger_begin(&ledger);
    hf_ledger_end(&ledger, 25, gone, NULL); /* empty, and proven */
    ck_assert_str_eq(gone_names, "lost known newer new ");
    hf_ledger_done(&ledger);
}
END_TEST

START_TEST(a_restored_backup_counts_from_below)
{
    fresh();
    ck_assert_int_eq(event("a", 100, false), HF_LEDGER_UPSERT);
    hf_ledger_rewind(&ledger, 50);
    ck_assert_uint_eq(ledger.highest, 50);
    hf_ledger_begin(&ledger);
    ck_assert_int_eq(item("a", 40), HF_LEDGER_UPSERT);
    hf_ledger_end(&ledger, 50, NULL, NULL);
    ck_assert_int_eq(event("a", 51, false), HF_LEDGER_UPSERT);
    hf_ledger_done(&ledger);
}
END_TEST

/* A process resumes a watch behind what its disk has: the objects never go back in time. */
START_TEST(a_replay_of_what_is_held)
{
    fresh();
    ck_assert_int_eq(hf_ledger_know(&ledger, "a"), 0);
    ck_assert_int_eq(hf_ledger_know(&ledger, "b"), 0);
    hf_ledger_hold(&ledger, "a", 130);
    hf_ledger_hold(&ledger, "b", 120);
    hf_ledger_hold(&ledger, "declined since", 140);
    ck_assert_uint_eq(ledger.highest, 140);
    ck_assert_int_eq(event("a", 110, false), HF_LEDGER_OLD);
    ck_assert_int_eq(event("a", 115, true), HF_LEDGER_OLD);
    ck_assert_int_eq(event("a", 130, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("a", 131, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("a", 132, true), HF_LEDGER_GONE);
    ck_assert_int_eq(event("a", 133, false), HF_LEDGER_UPSERT);
    hf_ledger_begin(&ledger); /* of a backup that counted on */
    ck_assert_int_eq(item("b", 60), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("b", 61, false), HF_LEDGER_UPSERT);
    hf_ledger_done(&ledger);
    fresh();
    ck_assert_int_eq(hf_ledger_know(&ledger, "a"), 0);
    hf_ledger_hold(&ledger, "a", 130);
    hf_ledger_rewind(&ledger, 100);
    ck_assert_int_eq(event("a", 101, false), HF_LEDGER_UPSERT);
    hf_ledger_done(&ledger);
}
END_TEST

/* The server has passed all old versions before anybody looks: an object may have a lower one, or the same one with
 * other content. */
START_TEST(a_restored_backup_that_counted_on)
{
    fresh();
    ck_assert_int_eq(event("lower", 100, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("equal", 101, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("event", 102, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("left", 103, false), HF_LEDGER_UPSERT);
    hf_ledger_renew(&ledger);
    ck_assert_int_eq(event("event", 60, false), HF_LEDGER_UPSERT);
    ck_assert_int_eq(event("event", 59, false), HF_LEDGER_OLD);
    hf_ledger_begin(&ledger);
    ck_assert_int_eq(item("lower", 40), HF_LEDGER_UPSERT);
    ck_assert_int_eq(item("equal", 101), HF_LEDGER_UPSERT);
    ck_assert_int_eq(item("event", 60), HF_LEDGER_NOTHING);
    hf_ledger_end(&ledger, 200, gone, NULL);
    ck_assert_str_eq(gone_names, "left ");
    ck_assert_int_eq(event("lower", 39, false), HF_LEDGER_OLD);
    ck_assert_int_eq(event("equal", 101, false), HF_LEDGER_NOTHING);
    ck_assert_uint_eq(hf_ledger_version(&ledger, "lower"), 40);
    hf_ledger_done(&ledger);
}
END_TEST

/* The rows of what was recorded of a MetaServer, as far as events go. */
START_TEST(ghosts)
{
    fresh();
    /* Nothing was ever proven: nothing is believed. */
    ck_assert_int_eq(meta("ghost", 7, false, false), HF_LEDGER_UNSURE);
    ck_assert_int_eq(meta("ghost", 7, false, true), HF_LEDGER_UNSURE);
    hf_ledger_begin(&ledger);
    ck_assert_int_eq(item("real", 5), HF_LEDGER_UPSERT);
    hf_ledger_end(&ledger, 10, gone, NULL);
    /* Lacked by the list and not newer: a ghost, live or replayed. */
    ck_assert_int_eq(meta("ghost", 7, false, false), HF_LEDGER_GHOST);
    ck_assert_int_eq(meta("ghost", 10, false, true), HF_LEDGER_GHOST);
    ck_assert_int_eq(meta("ghost", 0, false, true), HF_LEDGER_GHOST);
    /* Newer: believed when it comes from the cloud now, else a list must say. */
    ck_assert_int_eq(meta("young", 11, false, false), HF_LEDGER_UNSURE);
    ck_assert_int_eq(meta("young", 11, false, true), HF_LEDGER_UPSERT);
    ck_assert_int_eq(meta("young", 11, false, false), HF_LEDGER_NOTHING); /* the replay after a reopening */
    ck_assert_int_eq(meta("real", 5, false, false), HF_LEDGER_NOTHING);
    ck_assert_int_eq(meta("real", 4, false, false), HF_LEDGER_OLD);
    ck_assert_int_eq(meta("real", 12, false, true), HF_LEDGER_UPSERT);
    /* Even DELETED only makes us ask. */
    ck_assert_int_eq(meta("real", 13, true, true), HF_LEDGER_UNSURE);
    ck_assert_int_eq(meta("never", 13, true, true), HF_LEDGER_NOTHING);
    ck_assert_str_eq(gone_names, "");
    hf_ledger_done(&ledger);
}
END_TEST

START_TEST(after_a_restart_the_baseline_is_the_mark)
{
    fresh();
    ledger.baseline = ledger.highest = 100; /* resumed */
    ck_assert_int_eq(hf_ledger_know(&ledger, "held"), 0);
    ck_assert_int_eq(meta("held", 90, false, false), HF_LEDGER_NOTHING);
    ck_assert_int_eq(meta("held", 101, false, false), HF_LEDGER_UNSURE);
    ck_assert_int_eq(meta("ghost", 90, false, false), HF_LEDGER_GHOST);
    hf_ledger_done(&ledger);
}
END_TEST

START_TEST(bounded)
{
    enum hf_ledger_change verdict;
    char name[16];

    fresh();
    for (int i = 0; i < HF_LEDGER_MAX_OBJECTS; i++) {
        (void)snprintf(name, sizeof(name), "n%06d", i);
        ck_assert_int_eq(hf_ledger_know(&ledger, name), 0);
    }
    ck_assert_int_lt(hf_ledger_event(&ledger, "one more", 1, false, &verdict), 0);
    ck_assert_int_eq(event("n000000", 1, false), HF_LEDGER_UPSERT);
    hf_ledger_done(&ledger);
}
END_TEST

/* What the subscriber does not keep is told by every round; what is declined without mattering leaves room for what is
 * kept. */
START_TEST(declined)
{
    char name[16];

    fresh();
    ck_assert_int_eq(event("a", 5, false), HF_LEDGER_UPSERT);
    hf_ledger_decline(&ledger, "a", true);
    hf_ledger_decline(&ledger, "unheard of", true);
    ck_assert_int_eq(event("a", 5, false), HF_LEDGER_NOTHING); /* not by a stream that repeats itself */
    hf_ledger_begin(&ledger);
    ck_assert_int_eq(item("a", 4), HF_LEDGER_OLD);
    ck_assert_int_eq(item("a", 5), HF_LEDGER_UPSERT);
    ck_assert_int_eq(item("a", 5), HF_LEDGER_NOTHING); /* now it is kept */
    hf_ledger_decline(&ledger, "a", true);
    hf_ledger_end(&ledger, 6, gone, NULL);
    hf_ledger_begin(&ledger);
    hf_ledger_end(&ledger, 7, gone, NULL);
    ck_assert_str_eq(gone_names, "a "); /* and that it is gone is told */
    hf_ledger_begin(&ledger);
    for (int i = 0; i < 2 * HF_LEDGER_MAX_OBJECTS; i++) {
        (void)snprintf(name, sizeof(name), "n%06d", i);
        ck_assert_int_eq(item(name, 8), HF_LEDGER_UPSERT);
        hf_ledger_decline(&ledger, name, false);
    }
    ck_assert_uint_eq(ledger.objects.n, HF_LEDGER_MAX_OBJECTS / 2);
    ck_assert_int_eq(event("one more", 9, false), HF_LEDGER_UPSERT);
    hf_ledger_end(&ledger, 9, NULL, NULL);
    hf_ledger_done(&ledger);
}
END_TEST

/* The rule of the whole folder, against a simple model: through any mix of true and lying answers, `gone` is only ever
 * said of what the truth lacked at the moment of a proven answer. */
START_TEST(never_wrong)
{
    _cleanup_(hf_simloop_freep) struct hf_simloop *dice = hf_simloop_new((uint64_t)_i + 1);
    uint64_t version = 10, truth[6] = {0}; /* 0: does not exist */
    uint64_t store[6] = {0};               /* the proxy's, with ghosts */

    fresh();
    for (int step = 0; step < 400; step++) {
        size_t k = hf_simloop_below(dice, 6);
        char name[2] = {(char)('a' + k), '\0'};
        switch (hf_simloop_below(dice, 5)) {
        case 0:
            truth[k] = ++version;
            store[k] = truth[k];
            break;
        case 1:
            truth[k] = 0;
            version++;
            break;
        case 2: /* a replay */
            for (size_t i = 0; i < 6; i++)
                if (store[i] != 0)
                    ck_assert_int_ne(meta((char[]){(char)('a' + i), '\0'}, store[i], false, false), HF_LEDGER_UPSERT);
            break;
        case 3: /* a live event */
            if (truth[k] != 0)
                (void)meta(name, truth[k], false, true);
            break;
        default:
            gone_names[0] = '\0';
            hf_ledger_begin(&ledger);
            for (size_t i = 0; i < 6; i++)
                if (truth[i] != 0)
                    ck_assert_int_ne(item((char[]){(char)('a' + i), '\0'}, truth[i]), HF_LEDGER_OLD);
            hf_ledger_end(&ledger, version, gone, NULL);
            for (size_t i = 0; i < 6; i++) {
                bool said = strchr(gone_names, (int)('a' + i)) != NULL;
                ck_assert(!said || truth[i] == 0);
                ck_assert((hf_strmap_get(&ledger.objects, (char[]){(char)('a' + i), '\0'}) != NULL) == (truth[i] != 0));
            }
        }
    }
    hf_ledger_done(&ledger);
}
END_TEST

static void gone_and_declined(void *arg, const char *name)
{
    gone(arg, name);
    hf_ledger_decline(&ledger, name, false);
}

/* The subscriber declines an object inside the report that it is gone: no other object leaves with it. */
START_TEST(declined_while_it_goes)
{
    static const char *const names[] = {"a", "b", "c", "d"};

    fresh();
    ledger.max_objects = HF_LEN(names);
    for (unsigned round = 0; round < 2; round++) {
        hf_ledger_begin(&ledger);
        for (int i = 0; i < (int)HF_LEN(names); i++)
            if (round == 0 || i != _i)
                (void)item(names[i], 5);
    }
    hf_ledger_end(&ledger, 10, gone_and_declined, NULL);
    ck_assert(strncmp(gone_names, names[_i], 1) == 0 && strlen(gone_names) == 2);
    ck_assert_uint_eq(ledger.objects.n, HF_LEN(names) - 1);
    for (int i = 0; i < (int)HF_LEN(names); i++)
        ck_assert_uint_eq(hf_ledger_version(&ledger, names[i]), i == _i ? 0 : 5);
    hf_ledger_done(&ledger);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, declined_while_it_goes, 0, 4);
    tcase_add_test(tc, events_of_a_real_server);
    tcase_add_test(tc, unreadable_versions);
    tcase_add_test(tc, a_round_says_what_is_gone);
    tcase_add_test(tc, a_restored_backup_counts_from_below);
    tcase_add_test(tc, a_restored_backup_that_counted_on);
    tcase_add_test(tc, a_replay_of_what_is_held);
    tcase_add_test(tc, ghosts);
    tcase_add_test(tc, after_a_restart_the_baseline_is_the_mark);
    tcase_add_test(tc, bounded);
    tcase_add_test(tc, declined);
    tcase_add_loop_test(tc, never_wrong, 0, 20);
}
HF_TEST_MAIN("kube/ledger", cases)
