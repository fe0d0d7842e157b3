/* SPDX-License-Identifier: Apache-2.0 */
/* The two stores of contents: the disk, and the memory with its sealed copy. No API server, no TPM. */
#include <errno.h>
#include <string.h>

#include "codec/seal.h"
#include "manifests/content/secret_fetch.h"
#include "manifests/content/store.h"
#include "manifests/state/sealed_secret.h"
#include "support/bare_entry.h"
#include "support/check_main.h"

#define DISK "{\"name\":\"site\",\"to\":\"Files\",\"path\":\"/etc/site\",\"from\":{\"path\":\"/opt/site\"}}"
#define SECRET                                                                                                         \
    "{\"name\":\"site\",\"to\":\"Files\",\"path\":\"/run/site\",\"prune\":true,"                                       \
    "\"from\":{\"secret\":{\"namespace\":\"ns\",\"name\":\"s\"}}}"
#define ID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2 "2222222222222222222222222222222222222222222222222222222222222222"

static void fill(struct hf_manifest_set *set, const char *json, const char *digest)
{
    hf_manifest_set_done(set);
    set->entry = json_loads(json, 0, NULL);
    ck_assert_ptr_nonnull(set->entry);
    (void)snprintf(set->digest, sizeof(set->digest), "%s", digest);
    ck_assert_int_eq(hf_manifest_set_key(set, NULL), 0);
}

START_TEST(set_names_its_store)
{
    struct hf_bare bare;

    hf_bare_init(&bare, DISK);
    struct entry *entry = bare.entry;
    ck_assert(!content_store_in_memory(entry, &entry->r.next)); /* there is none yet */
    fill(&entry->r.good, DISK, ID_1);
    fill(&entry->r.next, SECRET, ID_2);
    ck_assert(!content_store_in_memory(entry, &entry->r.good));
    ck_assert(content_store_in_memory(entry, &entry->r.next));
    ck_assert(content_store_has(entry, &entry->r.good)); /* only a read says more */
    ck_assert(!content_store_has(entry, &entry->r.next));
    /* What is to go back to is on disk, so that no rollback lacks it. */
    ck_assert(!content_store_lacks(entry) && !content_store_goes_forward(entry) && !content_store_has_good(entry));
    ck_assert_str_eq(content_store_copy(entry), "");
    hf_bare_done(&bare);
}
END_TEST

START_TEST(disk_loads_and_loses)
{
    struct hf_bare bare;
    struct hf_manifest_outcome outcome = {.r = 0};
    struct hf_bundle *bundle = hf_bare_bundle("a", "one", NULL), *loaded = NULL;
    char path[200];

    hf_bare_init(&bare, DISK);
    struct entry *entry = bare.entry;
    fill(&entry->r.good, DISK, bundle->digest);
    (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/b-%s", bundle->digest);
    ck_assert_int_eq(content_store_load(entry, &entry->r.good, &loaded, &outcome), -ENOENT);
    ck_assert_int_eq(outcome.reason, HF_MANIFEST_REASON_SOURCE_UNREACHABLE);
    content_put(&entry->content, bundle, "r1");
    ck_assert(content_store_take(entry));
    (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S);
    ck_assert_int_eq(content_store_load(entry, &entry->r.good, &loaded, &outcome), 0);
    ck_assert_uint_eq(loaded->n, 1);
    hf_bundle_free(loaded);
    hf_simfs_set_unreadable(bare.fs, path, true); /* may pass */
    ck_assert_int_eq(content_store_load(entry, &entry->r.good, &loaded, &outcome), -EIO);
    ck_assert_int_eq(outcome.reason, HF_MANIFEST_REASON_WRITE_FAILED);
    hf_bare_done(&bare);
}
END_TEST

static void visit(void *arg, const char *path, const struct stat *st)
{
    unsigned *files = arg;

    (void)path;
    *files += S_ISREG(st->st_mode) && strstr(path, "record") == NULL;
}

/* A new content of a Secret: the record names it, and it stays in memory until the entry rests. */
START_TEST(memory_keeps_off_the_disk)
{
    struct hf_bare bare;
    struct hf_manifest_outcome outcome = {.r = 0};
    struct hf_bundle *loaded = NULL;
    unsigned files = 0;

    hf_bare_init(&bare, SECRET);
    struct entry *entry = bare.entry;
    fill(&entry->r.next, SECRET, ID_1);
    ck_assert_int_eq(content_store_load(entry, &entry->r.next, &loaded, &outcome), -ENODATA);
    ck_assert_int_eq(outcome.reason, HF_MANIFEST_REASON_SECRET_ABSENT);
    entry->secret.asked = true;
    content_put(&entry->content, hf_bare_bundle("a", "geheim", ID_1), "r1");
    ck_assert(content_store_take(entry));
    ck_assert(!entry->secret.asked && entry->recheck);
    ck_assert_str_eq(entry->r.known_digest, ID_1);
    (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S);
    ck_assert(content_store_has(entry, &entry->r.next));
    ck_assert_int_eq(content_store_load(entry, &entry->r.next, &loaded, &outcome), 0);
    ck_assert(loaded->secret); /* which overwrites it when it is freed */
    hf_bundle_free(loaded);
    hf_simfs_walk(bare.fs, "/", visit, &files);
    ck_assert_uint_eq(files, 0);
    /* While it waits it is needed; once it rests it goes. */
    entry->r.phase = HF_MANIFEST_WAITING;
    ck_assert(!content_store_settle(entry, NULL));
    ck_assert(content_store_has(entry, &entry->r.next));
    entry->r.phase = HF_MANIFEST_APPLIED;
    ck_assert(!content_store_settle(entry, NULL));
    ck_assert(!content_store_has(entry, &entry->r.next));
    hf_bare_done(&bare);
}
END_TEST

/* A version that is neither new nor needed is forgotten at once. */
START_TEST(memory_forgets_what_is_not_needed)
{
    struct hf_bare bare;
    bool verify;

    hf_bare_init(&bare, SECRET);
    struct entry *entry = bare.entry;
    fill(&entry->r.good, SECRET, ID_1);
    entry->r.phase = HF_MANIFEST_APPLIED;
    (void)snprintf(entry->r.known_digest, sizeof(entry->r.known_digest), ID_1);
    memcpy(entry->r.known_from, entry->content.wanted_from, sizeof(entry->r.known_from));
    content_put(&entry->content, hf_bare_bundle("a", "geheim", ID_1), "r1");
    ck_assert(!secret_fetch_take(entry, &verify) && !verify);
    ck_assert_ptr_null(entry->secret.bundle);
    /* After a drift it is what the files are compared with. */
    entry->secret.lost = true;
    content_put(&entry->content, hf_bare_bundle("a", "geheim", ID_1), "r1");
    ck_assert(!secret_fetch_take(entry, &verify) && verify);
    ck_assert(content_store_has_good(entry));
    entry->secret.vault.verify = true;
    ck_assert(content_store_verifies(entry) && !entry->secret.lost);
    content_store_repaired(entry);
    ck_assert(!entry->secret.vault.verify && entry->secret.bundle == NULL);
    hf_bare_done(&bare);
}
END_TEST

START_TEST(absent_content_is_asked_for)
{
    struct hf_bare bare;
    struct hf_diff diff = {.n = 0};

    hf_bare_init(&bare, SECRET);
    struct entry *entry = bare.entry;
    fill(&entry->r.good, SECRET, ID_1);
    fill(&entry->r.next, SECRET, ID_1);
    entry->r.phase = HF_MANIFEST_WAITING;
    ck_assert(content_store_waits(entry));
    ck_assert(entry->secret.asked);
    ck_assert_int_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_SECRET_ABSENT);
    ck_assert_ptr_nonnull(
        strstr(entry->machine.wait.message, "Secret ns/s is not on this node until the API server answers"));
    entry->secret.asked = false;
    ck_assert(content_store_again(entry) && content_store_is_again(entry) && entry->secret.asked);
    hf_diff_add(&diff, "/run/site/a", HF_DIFF_CONTENT);
    content_store_drifted(entry, &diff);
    ck_assert(entry->secret.lost);
    ck_assert_ptr_nonnull(strstr(entry->machine.wait.message, "/run/site/a (content)"));
    ck_assert_uint_ne(entry->drift.repairs.full_ns, 0);
    /* The answer is in memory now. */
    secret_put(entry, hf_bare_bundle("a", "geheim", ID_1));
    ck_assert(!content_store_waits(entry) && !content_store_again(entry) && !content_store_is_again(entry));
    fill(&entry->r.next, DISK, ID_2);
    entry->secret.asked = false;
    ck_assert(!content_store_waits(entry) && !content_store_again(entry) && !entry->secret.asked);
    hf_bare_done(&bare);
}
END_TEST

/* Only what was proven of this source counts, and only with `prune`. */
START_TEST(revoked)
{
    struct hf_bare bare;

    hf_bare_init(&bare, SECRET);
    struct entry *entry = bare.entry;
    entry->secret.revoked = entry->secret.vault.forget = true;
    content_store_renew(entry, false);
    ck_assert(content_store_is_revoked(entry));
    entry->wanted->prune = false;
    content_store_renew(entry, false);
    ck_assert(!content_store_is_revoked(entry) && entry->secret.vault.forget);
    entry->secret.revoked = true;
    content_store_renew(entry, true);
    ck_assert(!content_store_is_revoked(entry) && !entry->secret.vault.forget);
    hf_bare_done(&bare);
}
END_TEST

/* The sealed copy of the good set: there at the start, gone with its set or its Secret. */
START_TEST(sealed_copy)
{
    struct hf_bare bare;
    char text[VAULT_EXPLANATION];
    uint64_t due_ns;

    hf_bare_init(&bare, SECRET);
    struct entry *entry = bare.entry;
    fill(&entry->r.good, SECRET, ID_1);
    entry->r.phase = HF_MANIFEST_APPLIED;
    content_store_begin(entry);
    ck_assert_str_eq(entry->secret.vault.digest, "");
    vault_explain(entry, &entry->r.good, text);
    ck_assert_ptr_nonnull(strstr(text, "no sealed copy on this node"));
    hf_simfs_put(bare.fs, HF_BARE_FOLDER "/" HF_SEALED_SECRET_PREFIX ID_1, "x", 1, 0600);
    content_store_begin(entry);
    ck_assert_str_eq(entry->secret.vault.digest, ID_1);
    ck_assert_str_eq(content_store_copy(entry), ID_1);
    ck_assert(!content_store_wants_cleanup(entry));
    /* There is no TPM: it stays, and does not open. */
    ck_assert(!vault_open(entry, &entry->r.good));
    ck_assert(!vault_may_open_later(entry, &entry->r.good, &due_ns));
    ck_assert(!content_store_returns(entry));
    vault_give_up(entry, &entry->r.good);
    ck_assert_str_eq(entry->secret.vault.useless, ID_1);
    entry->secret.vault.forget = true;
    ck_assert_str_eq(content_store_copy(entry), "");
    ck_assert(content_store_wants_cleanup(entry));
    content_store_swept(entry, "");
    ck_assert(!content_store_wants_cleanup(entry));
    hf_bare_done(&bare);
}
END_TEST

/* A rollback of files whose earlier content nobody has: they stay, or the newest version makes them one again. */
START_TEST(nothing_to_go_back_to)
{
    struct hf_bare bare;

    hf_bare_init(&bare, SECRET);
    struct entry *entry = bare.entry;
    fill(&entry->r.good, SECRET, ID_1);
    fill(&entry->r.next, SECRET, ID_2);
    entry->r.phase = HF_MANIFEST_ROLLING_BACK;
    ck_assert(content_store_lacks(entry) && !content_store_goes_forward(entry));
    ck_assert(!content_store_stalls(entry)); /* the swap was not cut: nothing is mixed */
    entry->inventory.pending = true;
    ck_assert(content_store_stalls(entry) && entry->secret.asked);
    content_put(&entry->content, hf_bare_bundle("a", "geheim", ID_2), "r2");
    ck_assert(!content_store_stalls(entry));
    ck_assert(content_store_goes_forward(entry));
    entry->secret.kept.bundle = hf_bare_bundle("run/site/a", "alt", ID_1);
    ck_assert_ptr_nonnull(content_store_kept(entry));
    ck_assert(!content_store_lacks(entry) && !content_store_goes_forward(entry));
    hf_bare_done(&bare);
}
END_TEST

START_TEST(swap_on_a_disk_leaks)
{
    static const struct {
        const char *swaps;
        bool leaks;
    } rows[] = {{"Filename Type Size\n", false},
                {"Filename Type Size\n/dev/zram0 partition 1\n", false},
                {"Filename Type Size\n/dev/zram0 partition 1\n/dev/sda2 partition 1\n", true},
                {"Filename Type Size\n/swapfile file 1\n", true}};
    struct hf_bare bare;

    hf_bare_init(&bare, SECRET);
    struct entry *entry = bare.entry;
    fill(&entry->r.next, SECRET, ID_1);
    fill(&entry->r.good, DISK, ID_2);
    ck_assert(!content_store_leaks(entry, &entry->r.next)); /* no such file */
    for (size_t i = 0; i < HF_LEN(rows); i++) {
        hf_simfs_put(bare.fs, "/proc/swaps", rows[i].swaps, strlen(rows[i].swaps), 0444);
        ck_assert_msg(content_store_leaks(entry, &entry->r.next) == rows[i].leaks, "row %zu", i);
        ck_assert(!content_store_leaks(entry, &entry->r.good));
    }
    hf_bare_done(&bare);
}
END_TEST

/* A damaged line of an inventory, under a whole seal: it is set aside, never half taken. */
START_TEST(inventory_lines)
{
    static const char hash[] = " 3 " ID_1 " ";
    static const struct {
        const char *before, *hash, *after;
        int r;
    } rows[] = {{"f 0644 0 0", hash, "/a", 0},
                {"s 0400 0 0 ", "", "/a", 0},
                {"d ", "", "/a", 0},
                {"", "", "", 0},
                {"x 0644 0 0", hash, "/a", -EBADMSG},
                {"f", "", "", -EBADMSG},
                {"f 0648 0 0", hash, "/a", -EBADMSG},
                {"f 77777 0 0", hash, "/a", -EBADMSG},
                {"f 0644 a 0", hash, "/a", -EBADMSG},
                {"f 0644 0 4294967296", hash, "/a", -EBADMSG},
                {"f 0644 0 0 x ", ID_1, " /a", -EBADMSG},
                {"f 0644 0 0 3 ", "11", " /a", -EBADMSG},
                {"f 0644 0 0", hash, "a", -EBADMSG},
                {"f 0644 0 0", hash, "/", -EBADMSG},
                {"s 0400 0 ", "", "", -EBADMSG},
                {"f 0644 0 0 123456789012345678901234567890 ", ID_1, " /a", -EBADMSG}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct hf_inventory inventory = {.items = NULL};
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1000);
        size_t body;
        hf_bare_init(&bare, NULL);
        ck_assert_int_eq(hf_seal_begin("manifest-inventory", 1, &text, &body), 0);
        ck_assert_int_eq(hf_buf_addf(&text, "pending 1\n%s%s%s\n", rows[i].before, rows[i].hash, rows[i].after), 0);
        hf_seal_end(&text, body, NULL);
        hf_simfs_put(bare.fs, HF_BARE_FOLDER "/inventory", text.p, text.n, 0600);
        int r = hf_inventory_load(hf_simfs_ops(bare.fs), HF_BARE_FOLDER, "inventory", &inventory, NULL);
        ck_assert_msg(r == rows[i].r && inventory.pending == (r == 0), "row %zu: %d", i, r);
        hf_inventory_done(&inventory);
        hf_bare_done(&bare);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, inventory_lines);
    tcase_add_test(tc, set_names_its_store);
    tcase_add_test(tc, disk_loads_and_loses);
    tcase_add_test(tc, memory_keeps_off_the_disk);
    tcase_add_test(tc, memory_forgets_what_is_not_needed);
    tcase_add_test(tc, absent_content_is_asked_for);
    tcase_add_test(tc, revoked);
    tcase_add_test(tc, sealed_copy);
    tcase_add_test(tc, nothing_to_go_back_to);
    tcase_add_test(tc, swap_on_a_disk_leaks);
}

HF_TEST_MAIN("manifests/store", cases)
