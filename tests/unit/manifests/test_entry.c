/* SPDX-License-Identifier: Apache-2.0 */
/* One entry: what it loads, what a process finds at its start, and which step it takes next. Its actions are held; no
 * engine and no source. */
#include <errno.h>
#include <string.h>

#include "manifests/content/store.h"
#include "support/bare_entry.h"
#include "support/check_main.h"
#include "support/walk.h"

#define ALLOWED "files: [/etc/site/**], exec: [/usr/bin/check]"
#define VALIDATE ",\"validate\":{\"command\":[\"/usr/bin/check\"]}"
#define SECRET                                                                                                         \
    "{\"name\":\"site\",\"to\":\"Files\",\"path\":\"/etc/site/\",\"from\":{\"secret\":{\"namespace\":\"n\",\"name\":"  \
    "\"s\"}}}"
#define ID_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2 "2222222222222222222222222222222222222222222222222222222222222222"

static struct entry *set_up(struct hf_bare *bare, const char *json)
{
    hf_bare_init(bare, json);
    hf_bare_equip(bare, ALLOWED);
    hf_simfs_mkdir(bare->fs, "/etc", 0755);
    hf_bare_hold(bare);
    bare->entry->life = ENTRY_STARTED;
    bare->entry->drift.watch_stale = false;
    return bare->entry;
}

/* The source has delivered this content. */
static void know(struct hf_bare *bare, const char *digest)
{
    struct hf_manifest_record *r = &bare->entry->r;

    (void)snprintf(r->known_digest, sizeof(r->known_digest), "%s", digest);
    memcpy(r->known_from, bare->entry->content.wanted_from, sizeof(r->known_from));
}

static void consider(struct hf_bare *bare)
{
    entry_consider(bare->entry);
    hf_bare_run(bare);
}

static unsigned acts(const struct hf_bare *bare)
{
    unsigned n = 0;

    for (size_t i = 0; i < HF_LEN(bare->acted); i++)
        n += bare->acted[i];
    return n;
}

/* ---- load -------------------------------------------------------------------------------------------------------- */

/* A good set with one file is in place. */
static void applied(struct hf_bare *bare, const char *json)
{
    struct entry *entry = set_up(bare, json);

    hf_bare_store(bare, &entry->r.next, json, "a", "one");
    for (unsigned i = 0; i < 2; i++) {
        target_of(entry, &entry->r.next)->place(entry);
        hf_bare_run(bare);
    }
    ck_assert_msg(entry->r.phase == HF_MANIFEST_APPLIED, "%s", entry->r.message);
}

/* The next process. */
static struct entry *reload(struct hf_bare *bare)
{
    entry_free(bare->entry);
    bare->entry = entry_new(&bare->engine, "site");
    ck_assert_ptr_nonnull(bare->entry);
    hf_bare_hold(bare);
    memset(bare->acted, 0, sizeof(bare->acted));
    ck_assert_int_eq(entry_load(bare->entry), 0);
    return bare->entry;
}

START_TEST(loads)
{
    static const struct {
        const char *file; /* that is damaged or gone; NULL: none */
        bool gone, other_gone;
        bool unknown;  /* nobody knows which set is good */
        size_t files;  /* in the inventory */
        bool removing; /* an earlier process has removed everything */
    } rows[] = {
        {NULL, false, false, false, 1, false},        {"record", false, false, true, 1, false},
        {"record", true, false, true, 1, false},      {"record", true, true, false, 0, false},
        {"inventory", false, false, false, 1, false}, /* made again from the content */
        {"inventory", true, false, false, 1, false},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        char path[200];
        applied(&bare, HF_BARE_FILES(""));
        if (rows[i].file != NULL) {
            (void)snprintf(path, sizeof(path), HF_BARE_FOLDER "/%s", rows[i].file);
            if (rows[i].gone)
                hf_simfs_delete(bare.fs, path);
            else
                hf_simfs_put(bare.fs, path, "damaged", 7, 0600);
        }
        if (rows[i].other_gone)
            hf_simfs_delete(bare.fs, HF_BARE_FOLDER "/inventory");
        const struct entry *entry = reload(&bare);
        ck_assert_int_eq(entry->life, ENTRY_NEW);
        ck_assert_msg(entry->r.good_unknown == rows[i].unknown && entry->r.unproven == rows[i].unknown, "row %zu", i);
        ck_assert_msg(hf_inventory_files(&entry->inventory) == rows[i].files, "row %zu", i);
        ck_assert_msg(entry->removing == rows[i].removing && entry->drift.state == HF_DRIFT_DUE, "row %zu", i);
        hf_bare_done(&bare);
    }
}
END_TEST

START_TEST(removed_before)
{
    struct hf_bare bare;

    applied(&bare, HF_BARE_FILES(""));
    hf_inventory_done(&bare.entry->inventory);
    ck_assert_int_eq(
        hf_inventory_save(hf_simfs_ops(bare.fs), HF_BARE_FOLDER, "inventory", &bare.entry->inventory, NULL), 0);
    ck_assert(reload(&bare)->removing);
    hf_bare_done(&bare);
}
END_TEST

/* The disk cannot read a part: the entry does nothing, and tries again once per interval. */
START_TEST(unreadable)
{
    static const char *const files[] = {HF_BARE_FOLDER "/record", HF_BARE_FOLDER "/inventory"};

    for (size_t i = 0; i < HF_LEN(files); i++) {
        struct hf_bare bare;
        applied(&bare, HF_BARE_FILES(""));
        hf_simfs_set_unreadable(bare.fs, files[i], true);
        struct entry *entry = reload(&bare);
        ck_assert_int_eq(entry->life, ENTRY_UNREADABLE);
        ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_WRITE_FAILED);
        consider(&bare);
        entry->recheck = true;
        consider(&bare);
        ck_assert_int_eq(entry->life, ENTRY_UNREADABLE);
        hf_simfs_set_unreadable(bare.fs, files[i], false);
        consider(&bare); /* not before the interval */
        ck_assert_int_eq(entry->life, ENTRY_UNREADABLE);
        entry->recheck = true;
        consider(&bare);
        ck_assert_int_eq(entry->life, ENTRY_STARTED);
        ck_assert_uint_eq(acts(&bare), 1);
        ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_NONE);
        hf_bare_done(&bare);
    }
}
END_TEST

/* ---- start ------------------------------------------------------------------------------------------------------- */

START_TEST(starts)
{
    static const struct {
        enum hf_manifest_phase phase;
        const char *json;
        bool empty; /* the file of the inventory is gone */
        enum hf_manifest_phase then;
        enum hf_manifest_action act;
        unsigned starts;
        bool resumed, was_refused;
    } rows[] = {
        {HF_MANIFEST_WAITING, HF_BARE_FILES(""), false, HF_MANIFEST_WAITING, HF_MANIFEST_ACT_CLEAN, 0, false, false},
        {HF_MANIFEST_REFUSED, HF_BARE_FILES(""), false, HF_MANIFEST_REFUSED, HF_MANIFEST_ACT_CLEAN, 0, false, true},
        {HF_MANIFEST_APPLYING, HF_BARE_FILES(""), false, HF_MANIFEST_APPLYING, HF_MANIFEST_ACT_PLACE, 0, true, false},
        {HF_MANIFEST_PROBATION, HF_BARE_FILES(""), false, HF_MANIFEST_PROBATION, HF_MANIFEST_ACT_PROBE, 1, false,
         false},
        {HF_MANIFEST_ROLLING_BACK, HF_BARE_FILES(""), false, HF_MANIFEST_ROLLING_BACK, HF_MANIFEST_ACT_ROLLBACK, 1,
         false, false},
        /* A power cut has emptied the memory: what is on trial has to come first. */
        {HF_MANIFEST_PROBATION, SECRET, true, HF_MANIFEST_APPLYING, HF_MANIFEST_ACT_PLACE, 1, true, false},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct entry *entry = set_up(&bare, HF_BARE_FILES(""));
        const struct hf_inventory_item folder = {.path = (char *)(uintptr_t) "/etc/site", .folder = true},
                                       file = {.path = (char *)(uintptr_t) "/etc/site/a", .mode = 0644};
        ck_assert_int_eq(hf_inventory_put(&entry->inventory, &folder) + hf_inventory_put(&entry->inventory, &file), 0);
        if (!rows[i].empty)
            hf_simfs_put(bare.fs, "/etc/site/a", "one", 3, 0644);
        hf_simfs_put(bare.fs, HF_BARE_FOLDER "/before.list", "x", 1, 0600);
        entry->life = ENTRY_NEW;
        hf_bare_set(&entry->r.next, rows[i].json, ID_1);
        entry->r.phase = rows[i].phase;
        entry->r.unproven = rows[i].phase == HF_MANIFEST_ROLLING_BACK;
        consider(&bare);
        ck_assert_int_eq(entry->life, ENTRY_STARTED);
        ck_assert_msg(entry->r.phase == rows[i].then && bare.acted[rows[i].act] == 1 && acts(&bare) == 1, "row %zu", i);
        ck_assert_msg(entry->r.starts == rows[i].starts && entry->resumed == rows[i].resumed, "row %zu", i);
        ck_assert_msg(entry->permit.was_refused == rows[i].was_refused, "row %zu", i);
        ck_assert_int_eq(hf_simfs_stat(bare.fs, HF_BARE_FOLDER "/before.list", &(struct stat){0}), !rows[i].empty);
        hf_bare_done(&bare);
    }
}
END_TEST

/* ---- what comes next --------------------------------------------------------------------------------------------- */

START_TEST(gates)
{
    static const struct {
        bool held, stale, no_space, depends;
        enum hf_manifest_reason reason;
    } rows[] = {
        {true, false, false, false, HF_MANIFEST_REASON_HELD},
        {false, true, false, false, HF_MANIFEST_REASON_STALE},
        {false, false, true, false, HF_MANIFEST_REASON_NO_SPACE},
        {false, false, false, true, HF_MANIFEST_REASON_DEPENDENCY_NOT_APPLIED},
        {true, false, false, true, HF_MANIFEST_REASON_HELD},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct entry *entry =
            set_up(&bare, rows[i].depends ? HF_BARE_FILES(",\"dependsOn\":[\"other\"]") : HF_BARE_FILES(""));
        struct entry *other = entry_new(&bare.engine, "other");
        know(&bare, ID_1);
        ck_assert_int_eq(hf_strmap_put(&bare.engine.entries, "other", other), 0);
        consider(&bare); /* takes up the set */
        ck_assert_int_eq(entry->r.phase, HF_MANIFEST_WAITING);
        bare.engine.held = rows[i].held;
        bare.engine.stale = rows[i].stale;
        bare.engine.p.env.no_space = rows[i].no_space;
        consider(&bare);
        ck_assert_msg(entry->machine.wait.reason == rows[i].reason && acts(&bare) == 0, "row %zu", i);
        ck_assert_int_eq(strstr(entry->machine.wait.message, "'other'") != NULL, rows[i].depends && !rows[i].held);
        bare.engine.held = bare.engine.stale = bare.engine.p.env.no_space = false;
        other->r.phase = HF_MANIFEST_APPLIED;
        consider(&bare);
        ck_assert_msg(entry->machine.wait.reason == HF_MANIFEST_REASON_NONE, "row %zu", i);
        ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_PLACE], 1);
        hf_strmap_done(&bare.engine.entries);
        entry_free(other);
        hf_bare_done(&bare);
    }
}
END_TEST

/* Which content is a new set, and which is tried again. */
START_TEST(takes_up)
{
    static const struct {
        enum hf_manifest_phase phase;
        enum hf_manifest_reason reason;
        const char *next, *good, *known;
        bool recheck, was_refused, removing, held;
        enum hf_manifest_phase then;
        unsigned placed;
    } rows[] = {
        /* a new one; the one that is in place; the one that was in place before a removal began */
        {HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, ID_1, ID_1, ID_2, false, false, false, false,
         HF_MANIFEST_WAITING, 0},
        {HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, ID_1, ID_1, ID_1, true, false, false, false,
         HF_MANIFEST_APPLIED, 0},
        {HF_MANIFEST_APPLIED, HF_MANIFEST_REASON_APPLIED, ID_1, ID_1, ID_1, false, false, true, false,
         HF_MANIFEST_WAITING, 0},
        /* a refused one: with the interval, if that may help */
        {HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE, ID_1, NULL, ID_1, false, false, false, false,
         HF_MANIFEST_REFUSED, 0},
        {HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE, ID_1, NULL, ID_1, true, false, false, false,
         HF_MANIFEST_REFUSED, 1},
        {HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE, ID_1, NULL, ID_1, true, false, false, true,
         HF_MANIFEST_REFUSED, 0},
        {HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_VALIDATE_FAILED, ID_1, NULL, ID_1, true, false, false, false,
         HF_MANIFEST_REFUSED, 0},
        {HF_MANIFEST_REFUSED, HF_MANIFEST_REASON_FOREIGN_FILE, ID_1, NULL, ID_1, true, true, false, false,
         HF_MANIFEST_WAITING, 0},
        /* its content was lost, and has come again */
        {HF_MANIFEST_FETCHING, HF_MANIFEST_REASON_NONE, ID_1, NULL, ID_1, false, false, false, false,
         HF_MANIFEST_WAITING, 0},
        /* back to what is in place */
        {HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, ID_2, ID_1, ID_1, false, false, false, false,
         HF_MANIFEST_WAITING, 0},
        {HF_MANIFEST_ROLLED_BACK, HF_MANIFEST_REASON_HEALTH_FAILED, ID_2, ID_1, ID_2, true, false, false, false,
         HF_MANIFEST_ROLLED_BACK, 0},
        {HF_MANIFEST_WAITING, HF_MANIFEST_REASON_NONE, ID_1, NULL, ID_1, false, false, false, false,
         HF_MANIFEST_WAITING, 1},
    };

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        struct entry *entry = set_up(&bare, HF_BARE_FILES(""));
        hf_bare_set(&entry->r.next, HF_BARE_FILES(""), rows[i].next);
        if (rows[i].good != NULL)
            hf_bare_set(&entry->r.good, HF_BARE_FILES(""), rows[i].good);
        entry->r.phase = rows[i].phase;
        entry->r.reason = rows[i].reason;
        entry->recheck = rows[i].recheck;
        entry->permit.was_refused = rows[i].was_refused;
        entry->removing = rows[i].removing;
        bare.engine.held = rows[i].held;
        know(&bare, rows[i].known);
        consider(&bare);
        ck_assert_msg(entry->r.phase == rows[i].then && bare.acted[HF_MANIFEST_ACT_PLACE] == rows[i].placed,
                      "row %zu: %s %u", i, hf_manifest_phase_name(entry->r.phase), bare.acted[HF_MANIFEST_ACT_PLACE]);
        ck_assert(!entry->recheck);
        hf_bare_done(&bare);
    }
}
END_TEST

START_TEST(waits_for_content)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, HF_BARE_FILES(""));

    consider(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_FETCHING);
    advance_note_about(entry, ENTRY_NOTE_WAIT, HF_MANIFEST_REASON_HELD, "held");
    consider(&bare);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_NONE);
    hf_bare_done(&bare);
}
END_TEST

/* A pause, an invalid mixture, and the next interval keep an attempt back. */
START_TEST(attempts_are_paced)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, HF_BARE_FILES(""));

    hf_bare_set(&entry->r.next, HF_BARE_FILES(""), ID_1);
    know(&bare, ID_1);
    entry->due_ns = HF_NEVER;
    consider(&bare);
    entry->due_ns = hf_steer_core_now_ns(&bare.engine.core) + 300 * HF_NS_PER_S;
    consider(&bare);
    ck_assert_uint_ne(bare.engine.core.wake_ns, HF_NEVER);
    entry->due_ns = 0;
    entry->invalid = true;
    consider(&bare);
    ck_assert_uint_eq(acts(&bare), 0);
    entry->invalid = false;
    consider(&bare);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_PLACE], 1);
    hf_bare_done(&bare);
}
END_TEST

/* The node does not permit the entry: one refusal, no news from a second look, and news when it is permitted again. */
START_TEST(refused_entry)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, HF_BARE_FILES(VALIDATE));

    hf_bare_set(&entry->r.next, HF_BARE_FILES(VALIDATE), ID_1);
    hf_manifest_set_copy(&entry->r.good, &entry->r.next);
    entry->r.phase = HF_MANIFEST_APPLIED;
    know(&bare, ID_1);
    hf_bare_allow(&bare, "files: [/etc/site/**]");
    consider(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_WAITING);
    consider(&bare);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_REFUSED);
    ck_assert_int_eq(entry->r.reason, HF_MANIFEST_REASON_NOT_ALLOWED);
    unsigned n = acts(&bare);
    consider(&bare);
    ck_assert_uint_eq(acts(&bare), n);
    ck_assert_uint_eq(bare.told[HF_MANIFEST_NOTICE_REFUSED], 1);
    hf_bare_allow(&bare, ALLOWED);
    consider(&bare);
    ck_assert(entry->r.phase == HF_MANIFEST_WAITING && !entry->permit.was_refused);
    /* The same without a content. */
    entry->r.known_digest[0] = '\0';
    entry->permit.was_refused = true;
    entry->r.phase = HF_MANIFEST_REFUSED;
    consider(&bare);
    ck_assert(entry->r.phase == HF_MANIFEST_WAITING && !entry->permit.was_refused);
    hf_bare_done(&bare);
}
END_TEST

/* A record that is not on disk comes first, then a phase that is under way, then a cleanup, then drift. */
START_TEST(order)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, HF_BARE_FILES(""));
    size_t n;

    entry->save_wanted = true;
    consider(&bare);
    ck_assert(!entry->save_wanted && hf_simfs_get(bare.fs, HF_BARE_FOLDER "/record", &n) != NULL);
    hf_bare_set(&entry->r.next, HF_BARE_FILES(""), ID_1);
    hf_manifest_set_copy(&entry->r.good, &entry->r.next);
    entry->r.phase = HF_MANIFEST_PROBATION;
    entry->due_ns = hf_steer_core_now_ns(&bare.engine.core) + 60 * HF_NS_PER_S;
    consider(&bare);
    ck_assert_uint_eq(acts(&bare), 0);
    entry->due_ns = 0;
    consider(&bare);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_PROBE], 1);
    entry->r.phase = HF_MANIFEST_APPLIED;
    entry->cleanup = ENTRY_CLEANUP_FAILED; /* until the interval */
    know(&bare, ID_1);
    consider(&bare);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_CLEAN], 0);
    entry->cleanup = ENTRY_CLEANUP_DUE;
    consider(&bare);
    ck_assert_int_eq(entry->cleanup, ENTRY_CLEANUP_DONE);
    entry->busy = true;
    entry->r.phase = HF_MANIFEST_PROBATION;
    entry_consider(entry);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_PROBE], 1);
    entry->busy = false;
    entry->life = ENTRY_GONE;
    entry_consider(entry);
    ck_assert_uint_eq(bare.acted[HF_MANIFEST_ACT_PROBE], 1);
    hf_bare_done(&bare);
}
END_TEST

/* While the disk takes no record, drift is repaired all the same, unless the record on disk has a set on trial. */
START_TEST(unsaved)
{
    static const struct {
        bool unproven;
        enum hf_manifest_phase written;
        bool looks;
    } rows[] = {
        {false, HF_MANIFEST_APPLIED, true}, {false, HF_MANIFEST_PROBATION, true}, {true, HF_MANIFEST_PROBATION, false}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        struct hf_bare bare;
        applied(&bare, HF_BARE_FILES(""));
        struct entry *entry = bare.entry;
        entry->machine.unsaved = true;
        entry->due_ns = hf_steer_core_now_ns(&bare.engine.core) + 60 * HF_NS_PER_S;
        entry->r.unproven = rows[i].unproven;
        entry->written_phase = rows[i].written;
        drift_want(&entry->drift);
        consider(&bare);
        ck_assert_msg((entry->drift.looked_ns != 0) == rows[i].looks, "row %zu", i);
        ck_assert(entry->machine.unsaved);
        entry->due_ns = 0;
        consider(&bare);
        ck_assert(!entry->machine.unsaved);
        hf_bare_done(&bare);
    }
}
END_TEST

/* What a removal that has begun has left is no drift. */
START_TEST(half_removed)
{
    struct hf_bare bare;

    applied(&bare, HF_BARE_FILES(""));
    struct entry *entry = bare.entry;
    make_entry_free(hf_steal(entry->wanted));
    bare.engine.held = bare.engine.set_once = true;
    entry->download_left = false;
    entry->removing = true;
    drift_want(&entry->drift);
    consider(&bare);
    ck_assert_uint_eq(entry->drift.looked_ns, 0);
    entry->removing = false;
    consider(&bare);
    ck_assert_uint_ne(entry->drift.looked_ns, 0);
    bare.engine.held = false;
    bare.engine.proven = true;
    for (unsigned i = 0; i < 3; i++)
        consider(&bare);
    ck_assert_int_eq(entry->life, ENTRY_GONE);
    hf_bare_done(&bare);
}
END_TEST

/* Labels of the node that the content uses change too often. */
START_TEST(labels_are_paced)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, HF_BARE_FILES(",\"substitute\":{}"));
    json_t *labels = json_object();

    bare.engine.p.env.labels = labels;
    know(&bare, ID_1);
    for (int i = 0; i <= HF_CONTENT_PACE_BURST + 1; i++) {
        ck_assert_int_eq(json_object_set_new(labels, "site", json_integer(i)), 0);
        entry->r.phase = HF_MANIFEST_WAITING;
        entry_consider(entry);
        (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S);
    }
    entry_consider(entry);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_CONTENT_PACED);
    (void)hf_simloop_run_for(bare.loop, HF_NS_PER_S);
    hf_bare_done(&bare);
    json_decref(labels);
}
END_TEST

/* ---- what the policy wants --------------------------------------------------------------------------------------- */

static bool is_signed;

static bool ask_signed(void *arg, const struct hf_manifest *entry, enum hf_manifest_reason *ret_reason,
                       struct hf_err *err)
{
    (void)arg;
    (void)entry;
    *ret_reason = HF_MANIFEST_REASON_SIGNATURE_INVALID;
    return is_signed || hf_err_set(err, EKEYREJECTED, "not signed") == 0;
}

static struct hf_manifest *decode(const char *json)
{
    json_t *value = json_loads(json, 0, NULL);
    struct hf_manifest *manifest = NULL;

    ck_assert_int_eq(make_entry(value, &manifest, NULL), 0);
    json_decref(value);
    return manifest;
}

START_TEST(wanted)
{
    struct hf_bare bare;
    struct entry *entry = set_up(&bare, NULL);
    struct hf_manifest *one = decode(HF_BARE_FILES("")), *other = decode(HF_BARE_FILES(",\"prune\":true"));

    bare.engine.p.is_signed = ask_signed;
    is_signed = false;
    entry->due_ns = HF_NEVER;
    entry->removing = true;
    advance_note(entry, HF_MANIFEST_REASON_PRUNE_LIMIT, "a removal waits");
    ck_assert_int_eq(entry_set(entry, one), 0);
    ck_assert(entry->wanted != NULL && entry->wanted != one && entry->due_ns == 0);
    ck_assert_str_eq(entry->permit.distrust_text, "not signed");
    ck_assert_int_eq(entry->permit.distrust, HF_MANIFEST_REASON_SIGNATURE_INVALID);
    ck_assert_uint_eq(entry->machine.wait.reason, HF_MANIFEST_REASON_NONE); /* it has come to nothing */
    struct hf_manifest *before = entry->wanted;
    is_signed = true;
    ck_assert_int_eq(entry_set(entry, one), 0); /* the same, and signed now */
    ck_assert(entry->wanted == before && entry->permit.is_signed && entry->permit.distrust_text[0] == '\0');
    ck_assert_int_eq(entry_set(entry, one), 0);
    ck_assert_int_eq(entry_set(entry, other), 0);
    ck_assert(entry->wanted->prune);
    ck_assert_int_eq(entry_set(entry, NULL), 0);
    ck_assert(entry->wanted == NULL && entry->download_left && !entry->permit.is_signed);
    ck_assert_int_eq(entry_set(entry, NULL), 0);
    ck_assert(entry->download_left);
    json_t *json = json_incref(one->json);
    ck_assert_int_eq(json_object_set_new(json, "to", json_string("Moon")), 0);
    ck_assert_int_eq(entry_set(entry, one), -EBADMSG);
    json_decref(json);
    make_entry_free(one);
    make_entry_free(other);
    hf_bare_done(&bare);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Memory runs out once, at one allocation of the JSON library after the other. The entry never ends in another way for
 * that: it comes to the same end when there is memory again. */
static size_t allocations_left;

static void *allocate(size_t n)
{
    return allocations_left > 0 && --allocations_left == 0 ? NULL : malloc(n);
}

#define SCARCE                                                                                                         \
    HF_BARE_FILES(",\"prune\":true,\"substitute\":{\"k\":\"v\"},\"restart\":{\"systemdUnit\":\"site.service\"},"       \
                  "\"healthDeadline\":\"5s\",\"healthChecks\":[{\"exec\":{\"command\":[\"/usr/bin/check\"]}}]")

enum scene { NEW_SET, UNHEALTHY_SET, DRIFT, REMOVAL, SCENES };

static bool is_met(struct hf_bare *bare, enum scene scene)
{
    size_t n = 0;
    const char *text = hf_simfs_get(bare->fs, "/etc/site/a", &n);
    bool one = text != NULL && n == 3 && memcmp(text, "one", 3) == 0;

    switch (scene) {
    case NEW_SET:
        return text != NULL && n == 3 && memcmp(text, "two", 3) == 0 && bare->entry->r.phase == HF_MANIFEST_APPLIED;
    case UNHEALTHY_SET:
        return one && bare->entry->r.phase == HF_MANIFEST_ROLLED_BACK;
    case DRIFT:
        return one && bare->entry->r.phase == HF_MANIFEST_APPLIED;
    default:
        return text == NULL && bare->entry->life == ENTRY_GONE;
    }
}

/* Each turn is an interval of the policy. */
static void run_until_met(struct hf_bare *bare, enum scene scene, unsigned turns)
{
    for (unsigned i = 0; i < turns && !is_met(bare, scene); i++) {
        bare->entry->recheck = true;
        if (bare->entry->due_ns == HF_NEVER)
            bare->entry->due_ns = 0;
        entry_consider(bare->entry);
        (void)hf_simloop_run_for(bare->loop, 30 * HF_NS_PER_S);
    }
}

static void begin(struct hf_bare *bare, enum scene scene)
{
    struct entry *entry;

    hf_bare_init(bare, SCARCE);
    hf_bare_equip(bare, ALLOWED ", units: [site.service]");
    hf_simfs_mkdir(bare->fs, "/etc", 0755);
    entry = bare->entry;
    entry->life = ENTRY_STARTED;
    hf_bare_store(bare, &entry->r.next, SCARCE, "a", "one");
    know(bare, entry->r.next.digest);
    hf_manifest_set_done(&entry->r.next);
    run_until_met(bare, DRIFT, 10);
    ck_assert_int_eq(entry->r.phase, HF_MANIFEST_APPLIED);
    if (scene == DRIFT)
        hf_simfs_put(bare->fs, "/etc/site/a", "theirs", 6, 0644);
    drift_want(&entry->drift);
    bare->answer.exit_code = scene == UNHEALTHY_SET;
    bare->engine.set_once = bare->engine.proven = scene == REMOVAL;
    if (scene == REMOVAL)
        make_entry_free(hf_steal(entry->wanted));
    if (scene != NEW_SET && scene != UNHEALTHY_SET)
        return;
    struct hf_manifest_set set = {.entry = NULL};
    hf_bare_store(bare, &set, SCARCE, "a", "two");
    know(bare, set.digest);
    hf_manifest_set_done(&set);
}

/* Lets the n-th allocation or, with `disk`, the n-th call of the file system fail. Returns true if there was one. */
static bool fail_once(struct hf_bare *bare, enum scene scene, uint64_t n, bool disk)
{
    if (disk)
        hf_simfs_fail_at(bare->fs, n, EIO, 1);
    else
        allocations_left = (size_t)n;
    run_until_met(bare, scene, 6);
    bool failed = disk ? hf_simfs_failed(bare->fs) > 0 : allocations_left == 0;
    hf_simfs_fail_at(bare->fs, 0, 0, 0);
    allocations_left = 0;
    return failed;
}

static void fail_everywhere(enum scene scene, const char *walk, bool disk)
{
    bool failed = true;

    json_set_alloc_funcs(allocate, free);
    for (uint64_t n = hf_walk_next(walk, 0); failed; n = hf_walk_next(walk, n)) {
        struct hf_bare bare;
        begin(&bare, scene);
        failed = fail_once(&bare, scene, n, disk);
        run_until_met(&bare, scene, 40);
        ck_assert_msg(is_met(&bare, scene), "place %u: %s %s; %s", (unsigned)n,
                      hf_manifest_phase_name(bare.entry->r.phase), bare.entry->r.message,
                      bare.entry->machine.wait.message);
        hf_bare_done(&bare);
    }
}

START_TEST(memory_runs_out)
{
    static const char *const walks[SCENES] = {"new set", "unhealthy set", "drift", "removal"};

    fail_everywhere((enum scene)_i, walks[_i], false);
}
END_TEST

START_TEST(disk_fails)
{
    static const char *const walks[SCENES] = {"disk, new set", "disk, unhealthy set", "disk, drift", "disk, removal"};

    fail_everywhere((enum scene)_i, walks[_i], true);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, memory_runs_out, 0, SCENES);
    tcase_add_loop_test(tc, disk_fails, 0, SCENES);
    tcase_add_test(tc, loads);
    tcase_add_test(tc, removed_before);
    tcase_add_test(tc, unreadable);
    tcase_add_test(tc, starts);
    tcase_add_test(tc, gates);
    tcase_add_test(tc, takes_up);
    tcase_add_test(tc, waits_for_content);
    tcase_add_test(tc, attempts_are_paced);
    tcase_add_test(tc, refused_entry);
    tcase_add_test(tc, order);
    tcase_add_test(tc, unsaved);
    tcase_add_test(tc, half_removed);
    tcase_add_test(tc, labels_are_paced);
    tcase_add_test(tc, wanted);
}

HF_TEST_MAIN("manifests/entry", cases)
