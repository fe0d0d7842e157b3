/* SPDX-License-Identifier: Apache-2.0 */
/* The sealed copy of a Secret, and what gets its content again: each answer of the TPM's program, and each state of an
 * entry whose content is in no memory. A program of this file; no API server. */
#include <errno.h>
#include <string.h>

#include "manifests/content/secret_fetch.h"
#include "manifests/content/store.h"
#include "manifests/state/sealed_secret.h"
#include "support/bare_entry.h"
#include "support/check_main.h"
#include "tpm/helper.h"

#define ENTRY(more)                                                                                                    \
    "{\"name\":\"site\",\"to\":\"Files\",\"path\":\"/run/site\"" more                                                  \
    ",\"from\":{\"secret\":{\"namespace\":\"ns\",\"name\":\"s\"}}}"
#define SECRET ENTRY("")
#define VALIDATED ENTRY(",\"validate\":{\"command\":[\"/usr/bin/check\"]}")
#define OTHER                                                                                                          \
    "{\"name\":\"site\",\"to\":\"Files\",\"path\":\"/run/site\",\"from\":{\"secret\":{\"namespace\":\"ns\",\"name\":"  \
    "\"t\"}}}"
#define ID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2 "2222222222222222222222222222222222222222222222222222222222222222"
#define COPY HF_BARE_FOLDER "/" HF_SEALED_SECRET_PREFIX ID_1
#define BLOB "010000000000b10b" /* its head says: bound to no PCR */

struct node {
    struct hf_bare bare;
    struct hf_proc_ops ops;
    struct hf_proc_request request; /* the last one */
    char key[2 * HF_TPM_KEY_BYTES + 1];
    /* what the program answers; `output` NULL: as it should */
    int spawn_r, r, exit_code;
    const char *output;
    unsigned spawned, ended;
};

static void answer(void *arg)
{
    struct node *node = arg;
    const char *good = strcmp(node->request.argv[1], "seal") == 0 ? BLOB "\n" : node->key;

    node->request.done(node->request.arg, node->r, node->exit_code,
                       hf_view_of(node->output != NULL ? node->output : good));
}

static int spawn(void *ctx, const struct hf_proc_request *request, struct hf_proc_call **ret_call, struct hf_err *err)
{
    static const char *argv[2];
    struct node *node = ctx;

    node->spawned++;
    if (node->spawn_r < 0)
        return hf_err_sys(err, node->spawn_r, "start the program");
    ck_assert(request->secret && strcmp(request->argv[0], "/holdfast-tpm") == 0);
    node->request = *request;
    argv[1] = strcmp(request->argv[1], "seal") == 0 ? "seal" : "unseal";
    node->request.argv = argv;
    if (strcmp(argv[1], "seal") == 0) /* a TPM that gives back what it has got */
        (void)snprintf(node->key, sizeof(node->key), "%.*s", (int)request->input.n, request->input.p);
    *ret_call = (struct hf_proc_call *)(void *)node;
    hf_simloop_post(node->bare.loop, HF_NS_PER_S, answer, node);
    return 0;
}

static void cancel(void *ctx, struct hf_proc_call *call)
{
    ck_assert_ptr_eq(ctx, call);
}

static struct node *node_now;

static void ended(struct entry *entry)
{
    ck_assert(!entry->busy);
    node_now->ended++;
}

/* The good set's content, ID_1, is in memory; there is a TPM. */
static struct entry *set_up(struct node *node)
{
    struct entry *entry;

    *node = (struct node){.r = 0};
    node_now = node;
    hf_bare_init(&node->bare, SECRET);
    hf_bare_hold(&node->bare);
    node->ops = (struct hf_proc_ops){.ctx = node, .spawn = spawn, .cancel = cancel};
    node->bare.engine.p.env.proc = &node->ops;
    node->bare.engine.p.env.tpm_program = "/holdfast-tpm";
    hf_simfs_put(node->bare.fs, "/dev/tpmrm0", "", 0, 0600);
    entry = node->bare.entry;
    entry->life = ENTRY_STARTED;
    hf_bare_set(&entry->r.good, SECRET, ID_1);
    hf_bare_set(&entry->r.next, SECRET, ID_1);
    entry->r.phase = HF_MANIFEST_APPLIED;
    secret_put(entry, hf_bare_bundle("a", "geheim", ID_1));
    return entry;
}

static void settle(struct node *node)
{
    (void)hf_simloop_run_for(node->bare.loop, 5 * HF_NS_PER_S);
}

static bool has_copy(struct node *node)
{
    return hf_simfs_stat(node->bare.fs, COPY, &(struct stat){0});
}

/* ---- seal -------------------------------------------------------------------------------------------------------- */

START_TEST(seals)
{
    static const struct {
        int spawn_r, r, exit_code;
        const char *output;
        bool full, sealed, hopeless;
        const char *why;
    } rows[] = {
        {0, 0, 0, NULL, false, true, false, ""},
        {0, 0, 0, "xyz", false, false, false, "malformed"},
        {0, 0, 0, "", false, false, false, "malformed"},
        {0, 0, HF_TPM_EXIT_FAILED, "key: 0123\nholdfast-tpm: no room\n", false, false, false, "no room"},
        {0, 0, HF_TPM_EXIT_USAGE, "", false, false, true, "does not say why"},
        {0, -ETIMEDOUT, 0, "", false, false, false, "did not answer"},
        {0, -EIO, 0, "", false, false, false, "run holdfast-tpm"},
        {-ENOENT, 0, 0, NULL, false, false, false, "start the program"},
        {0, 0, 0, NULL, true, false, false, ""},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        struct entry *entry = set_up(&node);
        node.spawn_r = rows[i].spawn_r;
        node.r = rows[i].r;
        node.exit_code = rows[i].exit_code;
        node.output = rows[i].output;
        hf_simfs_set_limit(node.bare.fs, "/", rows[i].full ? 1 : 0);
        ck_assert(content_store_wants_cleanup(entry));
        ck_assert_int_eq(content_store_settle(entry, ended), rows[i].spawn_r == 0);
        settle(&node);
        ck_assert_msg(has_copy(&node) == rows[i].sealed && entry->secret.vault.hopeless == rows[i].hopeless, "row %zu",
                      i);
        ck_assert_msg(strstr(entry->r.unsealed, rows[i].why) != NULL, "row %zu: %s", i, entry->r.unsealed);
        ck_assert(strstr(entry->r.unsealed, "0123") == NULL); /* what else it printed may be a key */
        ck_assert_uint_eq(node.ended, rows[i].spawn_r == 0);
        ck_assert(entry->secret.vault.room == NULL && !entry->busy);
        ck_assert_msg(vault_wants(entry) == false, "row %zu", i);
        ck_assert_int_eq(vault_retries(entry), !rows[i].sealed && !rows[i].hopeless); /* with the interval */
        hf_bare_done(&node.bare);
    }
}
END_TEST

START_TEST(wants_no_copy)
{
    struct node node;
    struct entry *entry = set_up(&node);
    char text[VAULT_EXPLANATION];

    entry->r.phase = HF_MANIFEST_PROBATION;
    ck_assert(!vault_wants(entry));
    entry->r.phase = HF_MANIFEST_APPLIED;
    hf_simfs_delete(node.bare.fs, "/dev/tpmrm0");
    ck_assert(!vault_wants(entry));
    vault_explain(entry, &entry->r.good, text);
    ck_assert_ptr_nonnull(strstr(text, "there is no TPM"));
    node.bare.engine.p.env.tpm_program = NULL;
    ck_assert(!vault_wants(entry) && !content_store_settle(entry, ended));
    vault_explain(entry, &entry->r.good, text);
    ck_assert_ptr_nonnull(strstr(text, "the agent has made none"));
    ck_assert_uint_eq(node.spawned, 0);
    hf_bare_done(&node.bare);
}
END_TEST

/* ---- open -------------------------------------------------------------------------------------------------------- */

/* A copy is on disk, and the memory is empty, as after a reboot. */
static struct entry *sealed(struct node *node)
{
    struct entry *entry = set_up(node);

    ck_assert(content_store_settle(entry, ended));
    settle(node);
    ck_assert(has_copy(node));
    secret_wipe(entry);
    return entry;
}

START_TEST(opens)
{
    static const struct {
        int spawn_r, r, exit_code;
        const char *output;
        bool damaged, opened, useless;
        const char *why;
    } rows[] = {
        {0, 0, 0, NULL, false, true, false, ""},
        {0, 0, 0, "short", false, false, false, "malformed"},
        {0, 0, 0, "zz00000000000000000000000000000000000000000000000000000000000000", false, false, false, "malformed"},
        {0, 0, 0, "0000000000000000000000000000000000000000000000000000000000000000", false, false, true, ""},
        {0, 0, HF_TPM_EXIT_PCRS, "holdfast-tpm: other PCRs", false, false, true, "other PCRs"},
        {0, 0, HF_TPM_EXIT_FOREIGN, "", false, false, true, "does not say why"},
        {0, 0, HF_TPM_EXIT_LOCKED, "", false, false, false, "does not say why"},
        {0, -ETIMEDOUT, 0, "", false, false, false, "did not answer"},
        {-EBUSY, 0, 0, NULL, false, false, false, "start the program"},
        {0, 0, 0, NULL, true, false, true, ""},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        struct entry *entry = sealed(&node);
        uint64_t due_ns;
        if (rows[i].damaged)
            hf_simfs_put(node.bare.fs, COPY, "x", 1, 0600);
        node.spawn_r = rows[i].spawn_r;
        node.r = rows[i].r;
        node.exit_code = rows[i].exit_code;
        node.output = rows[i].output;
        ck_assert(vault_open(entry, &entry->r.good));
        settle(&node);
        ck_assert_msg(secret_has(entry, &entry->r.good) == rows[i].opened, "row %zu: %s", i, entry->secret.vault.why);
        ck_assert_msg((entry->secret.vault.useless[0] != '\0') == rows[i].useless, "row %zu: %s", i,
                      entry->secret.vault.why);
        ck_assert_msg(strstr(entry->secret.vault.why, rows[i].why) != NULL, "row %zu: %s", i, entry->secret.vault.why);
        ck_assert(entry->secret.vault.room == NULL && !entry->busy);
        ck_assert_int_eq(entry->secret.vault.verify, rows[i].opened);
        ck_assert_int_eq(vault_may_open_later(entry, &entry->r.good, &due_ns), !rows[i].useless);
        ck_assert_int_eq(vault_open(entry, &entry->r.good), rows[i].opened); /* otherwise after a pause */
        settle(&node);
        hf_bare_done(&node.bare);
    }
}
END_TEST

/* A rollback waits for the TPM for some pauses; then the copy counts as lost, for newer content must come in. */
START_TEST(rollback_waits_for_the_tpm)
{
    struct node node;
    struct entry *entry = sealed(&node);

    entry->r.phase = HF_MANIFEST_ROLLING_BACK;
    node.exit_code = HF_TPM_EXIT_LOCKED;
    ck_assert(content_store_returns(entry)); /* it is being opened */
    settle(&node);
    for (unsigned i = 0; i < MANIFEST_MAX_UNREADABLE; i++) {
        ck_assert(content_store_returns(entry));
        ck_assert_uint_gt(entry->due_ns, hf_steer_core_now_ns(&node.bare.engine.core));
        ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_SECRET_ABSENT);
    }
    ck_assert(!content_store_returns(entry));
    ck_assert_str_eq(entry->secret.vault.useless, ID_1);
    hf_bare_done(&node.bare);
}
END_TEST

/* A copy that opens on fewer boot chains than the configuration wants stays; one that opens on more must go. */
START_TEST(bound_to_other_pcrs)
{
    static const char config[] = "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
                                 "tpm: {pcrs: [7]}\n";

    for (unsigned stuck = 0; stuck < 2; stuck++) {
        struct node node;
        struct entry *entry = sealed(&node);
        struct hf_config *pcr_7 = NULL;
        content_store_begin(entry);
        ck_assert(entry->secret.vault.digest[0] != '\0' && !entry->secret.vault.stale);
        ck_assert_int_eq(hf_config_parse(hf_view_of(config), "agent.yaml", &pcr_7, NULL), 0);
        ck_assert_uint_eq(hf_config_n_faults(pcr_7), 0);
        node.bare.engine.p.env.config = pcr_7;
        hf_simfs_set_read_only(node.bare.fs, "/", stuck == 1);
        content_store_begin(entry);
        hf_simfs_set_read_only(node.bare.fs, "/", false);
        ck_assert_int_eq(has_copy(&node), stuck == 1);
        ck_assert_str_eq(entry->secret.vault.useless, stuck == 1 ? ID_1 : "");
        ck_assert(!vault_open(entry, &entry->r.good));
        secret_put(entry, hf_bare_bundle("a", "geheim", ID_1));
        ck_assert(content_store_settle(entry, ended)); /* another copy, with --pcrs */
        settle(&node);
        node.bare.engine.p.env.config = NULL;
        hf_config_free(pcr_7);
        hf_bare_done(&node.bare);
    }
}
END_TEST

/* ---- a swap whose content is in no memory ------------------------------------------------------------------------ */

static void deliver(struct entry *entry, const char *id)
{
    content_put(&entry->content, hf_bare_bundle("a", "geheim", id), "r2");
}

START_TEST(cut_swaps)
{
    static const struct {
        const char *next; /* the set that the swap began with */
        const char *delivered;
        bool unwanted, renamed, deleted;
        bool stalls;
        enum hf_manifest_phase phase;
        const char *digest; /* of the newest set afterwards */
    } rows[] = {
        {SECRET, NULL, false, false, false, true, HF_MANIFEST_APPLYING, ID_1},  /* it is asked for */
        {SECRET, ID_1, false, false, false, false, HF_MANIFEST_APPLYING, ID_1}, /* it has come */
        {SECRET, ID_2, false, false, false, false, HF_MANIFEST_APPLYING, ID_2}, /* a newer one, in its place */
        {VALIDATED, ID_2, false, false, false, true, HF_MANIFEST_WAITING, ID_1},
        {VALIDATED, ID_1, false, false, false, false, HF_MANIFEST_APPLYING, ID_1},
        {SECRET, NULL, true, false, false, true, HF_MANIFEST_WAITING, ID_1},
        {OTHER, NULL, false, true, false, true, HF_MANIFEST_WAITING, ID_1},
        {SECRET, NULL, false, false, true, true, HF_MANIFEST_WAITING, ID_1},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct node node;
        struct entry *entry = set_up(&node);
        secret_wipe(entry);
        hf_bare_set(&entry->r.next, rows[i].next, ID_1);
        entry->r.phase = HF_MANIFEST_APPLYING;
        if (rows[i].delivered != NULL)
            deliver(entry, rows[i].delivered);
        if (rows[i].unwanted)
            make_entry_free(hf_steal(entry->wanted));
        node.bare.engine.set_once = true;
        if (rows[i].deleted)
            (void)content_note(&entry->content, HF_MANIFEST_REASON_SOURCE_GONE, "gone");
        ck_assert_msg(content_store_stalls(entry) == rows[i].stalls, "row %zu", i);
        settle(&node);
        ck_assert_msg(entry->r.phase == rows[i].phase, "row %zu: %s", i, entry->r.message);
        ck_assert_msg(strcmp(entry->r.next.digest, rows[i].digest) == 0, "row %zu", i);
        ck_assert_int_eq(entry->r.unproven, rows[i].phase == HF_MANIFEST_WAITING);
        ck_assert_int_eq(secret_has(entry, &entry->r.next), !rows[i].stalls);
        hf_bare_done(&node.bare);
    }
}
END_TEST

START_TEST(cut_rollbacks)
{
    struct node node;
    struct entry *entry = set_up(&node);

    secret_wipe(entry);
    hf_bare_set(&entry->r.next, SECRET, ID_2);
    entry->r.phase = HF_MANIFEST_ROLLING_BACK;
    entry->inventory.pending = true;
    deliver(entry, ID_1); /* neither of the two: it comes after the rollback */
    ck_assert(!content_store_stalls(entry) && entry->secret.bundle == NULL);
    hf_bundle_free(content_take(&entry->content));
    (void)content_note(&entry->content, HF_MANIFEST_REASON_SOURCE_GONE, "gone");
    ck_assert(!content_store_stalls(entry)); /* it does not come */
    (void)content_note(&entry->content, HF_MANIFEST_REASON_NONE, NULL);
    make_entry_free(hf_steal(entry->wanted));
    node.bare.engine.set_once = true;
    ck_assert(!content_store_stalls(entry));
    node.bare.engine.set_once = false; /* nobody knows yet */
    ck_assert(content_store_stalls(entry));
    hf_bare_done(&node.bare);
}
END_TEST

/* Drift of the good set: from the copy, or from the API server, and the status says which. */
START_TEST(drift_without_content)
{
    struct node node;
    struct entry *entry = sealed(&node);
    struct hf_diff diff = {.n = 0};

    hf_diff_add(&diff, "/run/site/a", HF_DIFF_MISSING);
    content_store_drifted(entry, &diff);
    settle(&node);
    ck_assert(content_store_verifies(entry) && !entry->secret.lost);
    content_store_repaired(entry);
    node.exit_code = HF_TPM_EXIT_PCRS;
    content_store_drifted(entry, &diff);
    settle(&node);
    content_store_drifted(entry, &diff);
    settle(&node);
    ck_assert(entry->secret.lost && entry->secret.asked);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_WAITING);
    ck_assert_ptr_nonnull(strstr(entry->r.message, "its sealed copy does not open"));
    (void)content_note(&entry->content, HF_MANIFEST_REASON_SOURCE_GONE, "gone");
    content_store_drifted(entry, &diff);
    ck_assert_ptr_nonnull(strstr(entry->machine.wait.message, "when the Secret exists again"));
    hf_bare_done(&node.bare);
}
END_TEST

/* ---- files of a Secret ------------------------------------------------------------------------------------------- */

static int in_memory(void *ctx, int fd)
{
    (void)ctx;
    return fd >= 0;
}

static int on_disk(void *ctx, int fd)
{
    (void)ctx;
    (void)fd;
    return 0;
}

#define CHECKED                                                                                                        \
    ENTRY(",\"force\":true,\"healthDeadline\":\"5s\",\"healthChecks\":[{\"exec\":{\"command\":[\"/usr/bin/"            \
          "check\"]}}]")

/* A content of this Secret is in memory, and its set is the newest one; the actions are the entry's own. */
static struct entry *hold_secret(struct hf_bare *bare, struct hf_fs_ops *ops, int (*is_memory)(void *ctx, int fd))
{
    struct entry *entry;

    hf_bare_init(bare, CHECKED);
    hf_bare_equip(bare, "secrets: [/run/**], exec: [/usr/bin/check]");
    hf_simfs_mkdir(bare->fs, "/run", 0755);
    *ops = *bare->engine.p.env.world.fs;
    ops->is_memory = is_memory;
    bare->engine.p.env.world.fs = ops;
    entry = bare->entry;
    entry->life = ENTRY_STARTED;
    hf_bare_set(&entry->r.next, CHECKED, ID_1);
    secret_put(entry, hf_bare_bundle("site", "geheim", ID_1));
    return entry;
}

static void place_secret(struct hf_bare *bare)
{
    bare->entry->actions->start[HF_MANIFEST_ACT_PLACE](bare->entry);
    (void)hf_simloop_run_for(bare->loop, 60 * HF_NS_PER_S);
}

static bool is_file(struct hf_bare *bare, const char *path, const char *text)
{
    size_t n;
    const char *bytes = hf_simfs_get(bare->fs, path, &n);

    return text == NULL ? bytes == NULL : bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static void no_secret(void *arg, const char *path, const struct stat *st)
{
    struct hf_bare *bare = arg;
    size_t n;
    const char *text = hf_simfs_get(bare->fs, path, &n);

    ck_assert_msg(!S_ISREG(st->st_mode) || memmem(text, n, "geheim", 6) == NULL, "%s", path);
}

START_TEST(only_in_memory)
{
    struct hf_bare bare;
    struct hf_fs_ops ops;
    struct entry *entry = hold_secret(&bare, &ops, on_disk);

    place_secret(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_REFUSED);
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_NOT_TMPFS);
    hf_simfs_walk(bare.fs, "/", no_secret, &bare);
    hf_bare_done(&bare);
}
END_TEST

/* A set that fails: what was in place comes back from memory, and nothing of it was in the state folder. */
START_TEST(goes_back_in_memory)
{
    for (unsigned theirs = 0; theirs < 2; theirs++) {
        struct hf_bare bare;
        struct hf_fs_ops ops;
        struct entry *entry = hold_secret(&bare, &ops, in_memory);
        if (theirs == 1) {
            hf_simfs_put(bare.fs, "/run/site", "theirs", 6, 0600);
        } else {
            place_secret(&bare);
            ck_assert_msg(entry->r.phase == HF_MANIFEST_APPLIED, "%s", entry->r.message);
            ck_assert(is_file(&bare, "/run/site", "geheim") && entry->secret.bundle == NULL);
            hf_bare_set(&entry->r.next, CHECKED, ID_2);
            secret_put(entry, hf_bare_bundle("site", "geheim2", ID_2));
            entry->r.phase = HF_MANIFEST_WAITING;
        }
        bare.answer.exit_code = 1;
        place_secret(&bare);
        ck_assert_msg(entry->r.phase == HF_MANIFEST_ROLLED_BACK, "%s", entry->r.message);
        ck_assert(strstr(entry->r.message, "so it is not shown") != NULL);
        ck_assert(is_file(&bare, "/run/site", theirs == 1 ? "theirs" : "geheim"));
        hf_simfs_walk(bare.fs, HF_BARE_STATE, no_secret, &bare);
        ck_assert(entry->secret.kept.bundle == NULL && !entry->r.unproven);
        hf_bare_done(&bare);
    }
}
END_TEST

/* The agent was killed on the way: nobody has the earlier content, and the files stay as they are. */
START_TEST(goes_back_without_memory)
{
    struct hf_bare bare;
    struct hf_fs_ops ops;
    struct entry *entry = hold_secret(&bare, &ops, in_memory);

    hf_simfs_put(bare.fs, "/run/site", "theirs", 6, 0600);
    hf_bare_hold(&bare);
    for (unsigned i = 0; i < 2; i++) {
        target_of(entry, &entry->r.next)->place(entry);
        hf_bare_run(&bare);
    }
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_PROBATION);
    secret_wipe(entry);
    target_of(entry, &entry->r.next)->probe(entry);
    (void)hf_simloop_run_for(bare.loop, 60 * HF_NS_PER_S);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_WAITING); /* the checks begin anew when the content is here */
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_SECRET_ABSENT);
    entry->r.phase = HF_MANIFEST_ROLLING_BACK;
    target_of(entry, &entry->r.next)->roll_back(entry);
    (void)hf_simloop_run_for(bare.loop, 60 * HF_NS_PER_S);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_ROLLED_BACK);
    ck_assert_ptr_nonnull(strstr(entry->r.message, "no longer known"));
    ck_assert(is_file(&bare, "/run/site", "geheim") && entry->r.unproven);
    hf_bare_done(&bare);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, only_in_memory);
    tcase_add_test(tc, goes_back_in_memory);
    tcase_add_test(tc, goes_back_without_memory);
    tcase_add_test(tc, seals);
    tcase_add_test(tc, wants_no_copy);
    tcase_add_test(tc, opens);
    tcase_add_test(tc, rollback_waits_for_the_tpm);
    tcase_add_test(tc, bound_to_other_pcrs);
    tcase_add_test(tc, cut_swaps);
    tcase_add_test(tc, cut_rollbacks);
    tcase_add_test(tc, drift_without_content);
}

HF_TEST_MAIN("manifests/vault", cases)
