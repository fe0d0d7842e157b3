/* SPDX-License-Identifier: Apache-2.0 */
/* The content of an entry: what waits, what goes to disk, what is said of it. No source runs. */
#include <string.h>

#include "support/bare_entry.h"
#include "support/check_main.h"

#define ENTRY "{\"name\":\"site\",\"to\":\"Files\",\"path\":\"/etc/site\",\"from\":{\"path\":\"/opt/site\"}}"

static void *any_source(struct content *content)
{
    return content; /* nobody looks into it */
}

START_TEST(waits_and_is_taken)
{
    struct content content = {.intake = HF_CONTENT_STOPPED};
    struct hf_bundle *first = hf_bare_bundle("a", "one", NULL), *second = hf_bare_bundle("a", "three", NULL);

    (void)snprintf(content.wanted_from, sizeof(content.wanted_from), "key");
    content_put(&content, first, "r1");
    ck_assert(content_waits(&content));
    ck_assert_uint_eq(content_bytes(&content), 3);
    content_put(&content, second, "r2"); /* frees the first */
    ck_assert_uint_eq(content_bytes(&content), 5);
    ck_assert_str_eq(content.incoming_revision, "r2");
    ck_assert_str_eq(content.incoming_from, "key");
    ck_assert_ptr_eq(content_take(&content), second);
    ck_assert_int_eq(content.slot, HF_CONTENT_EMPTY);
    ck_assert_ptr_null(content_take(&content));
    hf_bundle_free(second);
}
END_TEST

START_TEST(notes_are_news_once)
{
    struct content content = {.intake = HF_CONTENT_STOPPED};

    ck_assert(!content_note(&content, HF_MANIFEST_REASON_NONE, NULL));
    ck_assert(content_note(&content, HF_MANIFEST_REASON_SOURCE_EMPTY, "no files"));
    ck_assert(!content_note(&content, HF_MANIFEST_REASON_SOURCE_EMPTY, "no files"));
    ck_assert(content_note(&content, HF_MANIFEST_REASON_SOURCE_EMPTY, "no files at all"));
    ck_assert(content_note(&content, HF_MANIFEST_REASON_NONE, NULL));
    ck_assert_str_eq(content.note.message, "");
}
END_TEST

START_TEST(pinned)
{
    struct content content = {.intake = HF_CONTENT_STOPPED};
    struct hf_bundle *plain = hf_bare_bundle("a", "one", NULL), *secret = hf_bare_bundle("a", "one", "id");

    ck_assert(!content_mismatches(&content, plain, NULL));
    ck_assert(!content_mismatches(&content, plain, plain->digest));
    ck_assert(content_mismatches(&content, plain, "0000"));
    ck_assert_ptr_nonnull(strstr(content.mismatch.message, plain->digest));
    /* The digest of a Secret would let its reader guess short contents. */
    memcpy(secret->digest, plain->digest, sizeof(secret->digest));
    ck_assert(content_mismatches(&content, secret, "0000"));
    ck_assert_ptr_null(strstr(content.mismatch.message, plain->digest));
    ck_assert(!content_mismatches(&content, plain, plain->digest));
    ck_assert_int_eq(content.mismatch.reason, HF_MANIFEST_REASON_NONE);
    hf_bundle_free(plain);
    hf_bundle_free(secret);
}
END_TEST

START_TEST(another_entry_begins_anew)
{
    struct content content = {.intake = HF_CONTENT_STOPPED, .pace = {.gap_ns = 5}};
    char from[HF_SHA256_HEX] = "new";

    content.source = any_source(&content);
    content_move(&content, HF_CONTENT_EV_STARTED);
    content.hold = (struct hf_content_hold){.reason = HF_MANIFEST_REASON_NO_SPACE, .times = 3};
    content_move(&content, HF_CONTENT_EV_HELD);
    ck_assert_int_eq(content.intake, HF_CONTENT_REFUSING);
    content.source = NULL;
    content_move(&content, HF_CONTENT_EV_STOPPED);
    (void)content_note(&content, HF_MANIFEST_REASON_NO_SPACE, "full");
    content_renew(&content, from);
    ck_assert_int_eq(content.intake, HF_CONTENT_STOPPED);
    ck_assert_uint_eq(content.pace.gap_ns + content.hold.times, 0);
    ck_assert_int_eq(content.note.reason, HF_MANIFEST_REASON_NONE);
    ck_assert_str_eq(content.wanted_from, "new");
}
END_TEST

START_TEST(goes_to_disk)
{
    struct hf_bare bare;
    char path[200];
    size_t n;

    hf_bare_init(&bare, ENTRY);
    struct entry *entry = bare.entry;
    struct hf_bundle *bundle = hf_bare_bundle("a", "one", NULL);
    (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", bundle->digest);
    content_put(&entry->content, bundle, "r1");
    ck_assert(content_consider(entry));
    ck_assert_int_eq(entry->content.slot, HF_CONTENT_STORING);
    ck_assert_uint_eq(content_bytes(&entry->content), 3);
    (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S);
    ck_assert(hf_simfs_is_durable(bare.fs, path));
    ck_assert_ptr_nonnull(hf_simfs_get(bare.fs, path, &n));
    ck_assert_int_eq(entry->content.slot, HF_CONTENT_EMPTY);
    ck_assert_str_eq(entry->r.known_revision, "r1");
    ck_assert(entry->recheck && !entry->busy);
    /* The same again, with another revision: only the record changes. */
    content_put(&entry->content, hf_bare_bundle("a", "one", NULL), "r2");
    ck_assert(content_consider(entry));
    ck_assert_str_eq(entry->r.known_revision, "r2");
    ck_assert_int_eq(entry->content.slot, HF_CONTENT_EMPTY);
    (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S);
    ck_assert(!content_consider(entry));
    hf_bare_done(&bare);
}
END_TEST

/* A full disk: the source is held for a pause, and starts again with no known revision. */
START_TEST(does_not_go_to_disk)
{
    struct hf_bare bare;

    hf_bare_init(&bare, NULL);
    struct entry *entry = bare.entry;
    hf_simfs_set_limit(bare.fs, "/", 1);
    (void)snprintf(entry->r.known_revision, sizeof(entry->r.known_revision), "r0");
    content_put(&entry->content, hf_bare_bundle("a", "one", NULL), "r1");
    ck_assert(content_consider(entry));
    (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S / 10);
    ck_assert_int_eq(entry->content.intake, HF_CONTENT_HELD);
    ck_assert_int_eq(entry->content.note.reason, HF_MANIFEST_REASON_NO_SPACE);
    ck_assert_str_eq(entry->r.known_revision, "");
    ck_assert_str_ne(entry->content.unstored, "");
    content_hold(entry);
    ck_assert_int_eq(entry->content.intake, HF_CONTENT_HELD);
    ck_assert_uint_eq(bare.engine.core.wake_ns <= entry->content.hold.until_ns, true);
    (void)hf_simloop_run_for(bare.loop, 600 * HF_NS_PER_S);
    content_hold(entry);
    ck_assert_int_eq(entry->content.intake, HF_CONTENT_STOPPED); /* no policy has the entry, so no source starts */
    hf_bare_done(&bare);
}
END_TEST

/* A content that is turned away a second time, for the same reason, is no news, but its source has to stop again. */
START_TEST(turned_away_again)
{
    struct hf_bare bare;

    hf_bare_init(&bare, ENTRY);
    hf_bare_allow(&bare, "files: [/etc/site/**], paths: [/opt/site]");
    struct entry *entry = bare.entry;
    entry->life = ENTRY_STARTED;
    hf_simfs_put(bare.fs, "/opt/site/a", "one", 3, 0644);
    content_follow(entry);
    for (int i = 0; i < 2; i++) {
        entry->machine.awake = false;
        bare.engine.p.env.no_space = true;
        hf_bare_run(&bare);
        ck_assert_int_eq(entry->content.note.reason, HF_MANIFEST_REASON_NO_SPACE);
        ck_assert_int_eq(entry->content.intake, HF_CONTENT_REFUSING);
        ck_assert_msg(entry->machine.awake, "nobody stops the source, time %d", i);
        content_hold(entry);
        ck_assert_int_eq(entry->content.intake, HF_CONTENT_HELD);
        bare.engine.p.env.no_space = false;
        content_hold(entry);
        ck_assert_int_eq(entry->content.intake, HF_CONTENT_FOLLOWING);
    }
    hf_bare_done(&bare);
}
END_TEST

START_TEST(lost_and_unreadable)
{
    struct hf_bare bare;

    hf_bare_init(&bare, NULL);
    struct entry *entry = bare.entry;
    struct job job = {.unreadable = true};
    (void)snprintf(entry->r.known_digest, sizeof(entry->r.known_digest), "d1");
    (void)snprintf(entry->r.next.digest, sizeof(entry->r.next.digest), "d0");
    content_lost(entry, &entry->r.next); /* no source has an older one */
    ck_assert_str_eq(entry->r.known_digest, "d1");
    for (unsigned i = 0; i < HF_CONTENT_MAX_UNREADABLE; i++) {
        content_count_unreadable(entry, &job);
        ck_assert_int_eq(job.outcome.reason, HF_MANIFEST_REASON_NONE);
    }
    content_count_unreadable(entry, &job);
    ck_assert_int_eq(job.outcome.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    job.r = -5;
    (void)snprintf(entry->r.good.digest, sizeof(entry->r.good.digest), "d1");
    content_repair_ended(entry, &job);
    ck_assert_str_eq(entry->r.known_digest, "");
    hf_bare_done(&bare);
}
END_TEST

START_TEST(labels_are_paced)
{
    struct hf_bare bare;
    char text[HF_RECORD_MESSAGE] = "";

    hf_bare_init(&bare, ENTRY);
    for (unsigned i = 0; i < HF_CONTENT_PACE_BURST; i++)
        ck_assert(content_pace_takes(bare.entry, text));
    ck_assert(!content_pace_takes(bare.entry, text));
    ck_assert_ptr_nonnull(strstr(text, "once in 1 min"));
    ck_assert_uint_ne(bare.engine.core.wake_ns, HF_NEVER);
    (void)hf_simloop_run_for(bare.loop, 61 * HF_NS_PER_S);
    ck_assert(content_pace_takes(bare.entry, text));
    hf_bare_done(&bare);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, waits_and_is_taken);
    tcase_add_test(tc, notes_are_news_once);
    tcase_add_test(tc, pinned);
    tcase_add_test(tc, another_entry_begins_anew);
    tcase_add_test(tc, goes_to_disk);
    tcase_add_test(tc, does_not_go_to_disk);
    tcase_add_test(tc, turned_away_again);
    tcase_add_test(tc, lost_and_unreadable);
    tcase_add_test(tc, labels_are_paced);
}

HF_TEST_MAIN("manifests/content", cases)
