/* SPDX-License-Identifier: Apache-2.0 */
/* What the source of an entry delivers: checks it, and writes it to disk. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "manifests/content/content.h"
#include "manifests/content/permit.h"
#include "manifests/content/secret_fetch.h"
#include "manifests/entry.h"
#include "manifests/source/substitute.h"
#include "os/dir.h"

#define INCOMING_PAUSE_NS (2 * HF_NS_PER_S)

static void note(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    struct entry_note *now = &entry->source_note;

    if (now->reason == reason && (message == NULL || strcmp(now->message, message) == 0))
        return;
    now->reason = reason;
    (void)snprintf(now->message, sizeof(now->message), "%s", message != NULL ? message : "");
    if (reason != HF_MANIFEST_REASON_NONE)
        hf_log(entry->engine->p.env.log, HF_LOG_WARNING, "manifest.source", HF_S("entry", entry->name),
               HF_S("reason", hf_manifest_reason_name(reason)), HF_S("message", now->message));
    manifest_engine_notify(entry->engine);
}

/* ---- what the node takes up now ---------------------------------------------------------------------------------- */

/* The content of an entry that is in memory, in bytes, until it is on disk. */
static uint64_t bytes_in_memory(const struct entry *entry)
{
    return (entry->incoming != NULL ? entry->incoming->bytes : 0) + entry->storing_bytes;
}

/* The contents of all other entries of the policy, in bytes: in memory, or wherever they are. MANIFEST_MAX_LEFT_BYTES
 * bounds the contents of the entries that only wait for their removal. */
static uint64_t bytes_of_others(const struct entry *entry, bool only_in_memory)
{
    const struct hf_strmap *entries = &entry->engine->entries;
    uint64_t bytes = 0;

    for (size_t i = 0; i < entries->n; i++) {
        const struct entry *other = entries->entries[i].value;
        if (other == entry || !other->in_policy)
            continue;
        bytes += bytes_in_memory(other) + (only_in_memory ? 0 : other->r.known_bytes);
    }
    return bytes;
}

/* Returns true if this content came before, and could not be written to disk. It has taken its token then. */
static bool comes_again(const struct entry *entry, const struct hf_bundle *bundle)
{
    return strcmp(bundle->digest, entry->unstored) == 0;
}

static bool downloads(const struct entry *entry)
{
    enum hf_manifest_from_kind kind = entry->wanted->from.kind;

    return kind == HF_MANIFEST_FROM_URL || kind == HF_MANIFEST_FROM_FLUX;
}

/* Says why no new content may be taken up now, and notes until when. Returns false if one may. */
static bool turns_away(struct entry *entry, const struct hf_bundle *bundle, char text[HF_RECORD_MESSAGE])
{
    bool secret = bundle->secret;
    const struct hf_manifest_engine *engine = entry->engine;
    uint64_t now = manifest_engine_now(engine), wait = hf_content_pace_wait_ns(&entry->content_pace, now);

    entry->hold.until_ns = 0;
    if (!secret && engine->p.env.no_space) {
        entry->hold.reason = HF_MANIFEST_REASON_NO_SPACE;
        (void)snprintf(text, HF_RECORD_MESSAGE, "the disk of the agent's state is critically full");
    } else if (!secret && engine->p.env.writes_used_up) {
        entry->hold.reason = HF_MANIFEST_REASON_CONTENT_PACED;
        (void)snprintf(text, HF_RECORD_MESSAGE, "the agent may write no more today (spec.disk.writeBudget)");
    } else if (wait > 0 && !comes_again(entry, bundle)) {
        entry->hold.reason = HF_MANIFEST_REASON_CONTENT_PACED;
        entry->hold.until_ns = now + wait;
        (void)snprintf(text, HF_RECORD_MESSAGE,
                       "the content changes too often: the node takes up the newest one at most once in %u min",
                       (unsigned)(entry->content_pace.gap_ns / (60 * HF_NS_PER_S)));
    } else if (bundle->turn == NULL && bytes_of_others(entry, true) + bundle->bytes > MANIFEST_MAX_INCOMING_BYTES) {
        entry->hold.reason = HF_MANIFEST_REASON_CONTENT_PACED;
        entry->hold.until_ns = now + INCOMING_PAUSE_NS;
        (void)snprintf(text, HF_RECORD_MESSAGE, "the contents of other entries come first");
    } else if (!secret && bytes_of_others(entry, false) + bundle->bytes > MANIFEST_MAX_BYTES) {
        entry->hold.reason = HF_MANIFEST_REASON_SOURCE_TOO_LARGE;
        /* An archive would be downloaded again: later each time. A smaller one is rare. */
        entry->hold.until_ns = now + (HF_MAX(engine->interval_ns, HF_CONTENT_PACE_FIRST_GAP_NS)
                                      << (downloads(entry) ? HF_MIN(entry->hold.times, 6U) : 0));
        entry->hold.bytes = bundle->bytes;
        entry->hold.times++;
        (void)snprintf(text, HF_RECORD_MESSAGE,
                       "with this content of %zu KiB, all entries of the policy together have more than %d MiB",
                       bundle->bytes / 1024, MANIFEST_MAX_BYTES >> 20);
    } else {
        entry->hold.reason = HF_MANIFEST_REASON_NONE;
        entry->hold.times = 0;
        return false;
    }
    return true;
}

static bool is_held(const struct entry *entry)
{
    const struct hf_manifest_engine *engine = entry->engine;

    if (entry->hold.reason == HF_MANIFEST_REASON_NONE)
        return false;
    if (entry->hold.reason == HF_MANIFEST_REASON_SOURCE_TOO_LARGE &&
        bytes_of_others(entry, false) + entry->hold.bytes <= MANIFEST_MAX_BYTES)
        return false;
    if (entry->hold.until_ns > 0)
        return entry->hold.until_ns > manifest_engine_now(engine);
    return entry->hold.reason == HF_MANIFEST_REASON_NO_SPACE ? engine->p.env.no_space : engine->p.env.writes_used_up;
}

void content_hold(struct entry *entry)
{
    if (entry->hold.reason == HF_MANIFEST_REASON_NONE)
        return;
    if (!is_held(entry)) {
        entry->hold.reason = HF_MANIFEST_REASON_NONE;
        content_follow(entry);
        return;
    }
    if (!entry->secret_asked)
        hf_manifest_source_free(hf_steal(entry->source));
    if (entry->hold.until_ns > 0)
        manifest_engine_wake_in(entry->engine, entry->hold.until_ns - manifest_engine_now(entry->engine));
}

bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE])
{
    uint64_t now = manifest_engine_now(entry->engine), wait = hf_content_pace_wait_ns(&entry->content_pace, now);

    if (wait == 0) {
        hf_content_pace_spend(&entry->content_pace, now, entry->engine->interval_ns);
        return true;
    }
    (void)snprintf(text, HF_RECORD_MESSAGE,
                   "labels of the node change too often: the node takes them up once in %u min",
                   (unsigned)(entry->content_pace.gap_ns / (60 * HF_NS_PER_S)));
    manifest_engine_wake_in(entry->engine, wait);
    return false;
}

/* ---- from the source --------------------------------------------------------------------------------------------- */

/* The entry has asked for the content of a Secret and cannot go on without one. If it turned away the version that
 * came, it would ask again at once. A content that is only to be sealed can wait. */
static bool is_needed(const struct entry *entry, const struct hf_bundle *bundle)
{
    return bundle->secret && entry->secret_asked && (entry->secret_lost || entry->r.phase != HF_MANIFEST_APPLIED);
}

/* A content that the entry needs takes a token only if there is one. */
static void spend(struct entry *entry)
{
    uint64_t now = manifest_engine_now(entry->engine);

    if (hf_content_pace_wait_ns(&entry->content_pace, now) == 0)
        hf_content_pace_spend(&entry->content_pace, now, entry->engine->interval_ns);
}

/* Returns true if the content does not have the contentDigest, and notes that. */
static bool mismatches(struct entry *entry, const struct hf_bundle *bundle)
{
    const char *pinned = entry->wanted->content_digest;
    char text[HF_RECORD_MESSAGE];

    if (pinned == NULL || strcmp(pinned, bundle->digest) == 0)
        return false;
    if (bundle->secret) /* its digest tells something of it */
        (void)snprintf(text, sizeof(text), "the content of the Secret does not have the contentDigest");
    else
        (void)snprintf(text, sizeof(text), "the content has the digest sha256:%.64s, but contentDigest is sha256:%.64s",
                       bundle->digest, pinned);
    note(entry, HF_MANIFEST_REASON_DIGEST_MISMATCH, text);
    entry->mismatch = entry->source_note;
    return true;
}

/* Returns true if a content can go to disk soon. */
static bool takes(void *arg)
{
    const struct entry *entry = arg;

    return entry->started && !entry->busy && !entry->unsaved && hf_manifest_machine_rests(entry->r.phase);
}

static void delivered(void *arg, struct hf_bundle *bundle, const char *revision)
{
    struct entry *entry = arg;
    char text[HF_RECORD_MESSAGE], what[160];

    if (bundle->n == 0) {
        hf_manifest_describe_source(entry->wanted, what, sizeof(what));
        (void)snprintf(text, sizeof(text), "%s has no files; what is in place stays", what);
        note(entry, HF_MANIFEST_REASON_SOURCE_EMPTY, text);
        hf_bundle_free(bundle);
        return;
    }
    if (mismatches(entry, bundle)) {
        hf_bundle_free(bundle);
        return;
    }
    entry->mismatch = (struct entry_note){.reason = HF_MANIFEST_REASON_NONE};
    if (bundle->secret)
        memcpy(bundle->digest, bundle->id, sizeof(bundle->digest));
    bool is_new = strcmp(bundle->digest, entry->r.known_digest) != 0;
    if (is_new && !is_needed(entry, bundle) && turns_away(entry, bundle, text)) {
        note(entry, entry->hold.reason, text);
        entry->secret_asked = false;
        hf_bundle_free(bundle);
        manifest_engine_wake(entry->engine);
        return;
    }
    if (!is_new || !comes_again(entry, bundle)) { /* otherwise the note says why it could not be written */
        note(entry, HF_MANIFEST_REASON_NONE, NULL);
        entry->unstored[0] = '\0';
        if (is_new)
            spend(entry);
    }
    entry->revoked = entry->vault.forget = false;
    hf_bundle_free(entry->incoming);
    entry->incoming = bundle;
    if (!takes(entry)) /* it may stay in memory for long, and others wait for their turn */
        hf_source_turn_free(hf_steal(bundle->turn));
    (void)snprintf(entry->incoming_revision, sizeof(entry->incoming_revision), "%s", revision);
    memcpy(entry->incoming_from, entry->wanted_from, sizeof(entry->incoming_from));
    manifest_engine_wake(entry->engine);
}

static void unchanged(void *arg)
{
    const struct entry *entry = arg;

    note(arg, entry->mismatch.reason, entry->mismatch.message);
}

static void failed(void *arg, enum hf_manifest_reason reason, const struct hf_err *err, uint64_t retry_after_ns)
{
    char text[HF_RECORD_MESSAGE];

    (void)retry_after_ns;
    note(arg, reason, hf_err_text(err, text, sizeof(text)));
}

/* Returns true if what is in place came from the Secret that the entry names now. */
static bool is_from_this_secret(const struct entry *entry)
{
    const json_t *wanted = hf_json_at(entry->wanted->json, "from.secret");

    return wanted != NULL &&
           json_equal(wanted, hf_json_at(hf_manifest_record_owner(&entry->r)->entry, "from.secret")) != 0;
}

/* Returns true if the deletion of the Secret removes the files in place. An unsigned entry removes none of a signed set
 * that would have kept them. */
static bool takes_along(const struct entry *entry)
{
    const struct hf_manifest_set *owner = hf_manifest_record_owner(&entry->r);

    return entry->wanted->prune && (entry->signed_ || !owner->signed_ || hf_json_bool_or(owner->entry, "prune", false));
}

/* A name that never existed revokes nothing: it may be a mistake in the policy. An attempt that waits for the content
 * ends all the same (secret_fetch_stalls()). */
static void gone(void *arg, const char *what)
{
    struct entry *entry = arg;
    char text[HF_RECORD_MESSAGE];

    entry->vault.forget = is_from_this_secret(entry);
    entry->revoked = entry->vault.forget && takes_along(entry);
    (void)snprintf(text, sizeof(text), "%s does not exist; what is in place %s", HF_CUT(250, what),
                   entry->revoked ? "goes (prune)" : "stays");
    if (entry->wanted->from.kind == HF_MANIFEST_FROM_SECRET) /* its files may have to go, and an attempt may end */
        manifest_engine_wake(entry->engine);
    note(arg, HF_MANIFEST_REASON_SOURCE_GONE, text);
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

void content_stop(struct entry *entry)
{
    hf_manifest_source_free(entry->source);
    entry->source = NULL;
    hf_bundle_free(entry->incoming);
    entry->incoming = NULL;
}

void content_follow(struct entry *entry)
{
    struct hf_err err = HF_ERR_INIT;
    char work_dir[PATH_MAX], text[HF_RECORD_MESSAGE];

    if (entry->source != NULL || entry->wanted == NULL || entry->unreadable ||
        (is_held(entry) && !entry->secret_asked) || permit_ask(entry, NULL) != HF_MANIFEST_REASON_NONE)
        return;
    (void)snprintf(work_dir, sizeof(work_dir), "%s/" MANIFEST_DOWNLOAD, entry->folder);
    bool is_known = strcmp(entry->r.known_from, entry->wanted_from) == 0;
    struct hf_manifest_source_params params = {
        .env = &entry->engine->p.env,
        .entry = entry->wanted,
        .signed_ = entry->signed_,
        .work_dir = work_dir,
        .known_revision = is_known && entry->r.known_revision[0] != '\0' ? entry->r.known_revision : NULL,
        .delivered = delivered,
        .unchanged = unchanged,
        .failed = failed,
        .gone = gone,
        .turns = entry->engine->turns,
        .takes = takes,
        .arg = entry,
    };
    entry->mismatch = (struct entry_note){.reason = HF_MANIFEST_REASON_NONE};
    int r = hf_manifest_source_new(&params, &entry->source, &err);
    if (r < 0)
        note(entry, r == -EACCES ? HF_MANIFEST_REASON_NOT_ALLOWED : HF_MANIFEST_REASON_UNSUPPORTED,
             hf_err_text(&err, text, sizeof(text)));
}

void content_lost(struct entry *entry, const struct hf_manifest_set *set)
{
    if (strcmp(set->digest, entry->r.known_digest) != 0)
        return;
    entry->r.known_digest[0] = '\0';
    entry->r.known_revision[0] = '\0';
    content_stop(entry);
    content_follow(entry);
}

/* A content that the disk never reads keeps newer content out, and its own removal, too. Once it counts as lost, the
 * source delivers it again, and it goes to another block. */
void content_count_unreadable(struct entry *entry, struct job *job)
{
    if (!job->unreadable) {
        entry->unreadable_attempts = entry->unreadable_copies = 0;
        return;
    }
    /* A disk that reads no copy must not cost a download every few minutes. */
    unsigned most = (unsigned)MANIFEST_MAX_UNREADABLE << HF_MIN(entry->unreadable_copies, 5U);
    if (++entry->unreadable_attempts <= most)
        return;
    entry->unreadable_attempts = 0;
    entry->unreadable_copies++;
    job->outcome.reason = HF_MANIFEST_REASON_SOURCE_UNREACHABLE;
}

void content_repair_ended(struct entry *entry, struct job *job)
{
    /* While a newer content waits, the count is about that one. */
    if (strcmp(entry->r.good.digest, entry->r.known_digest) == 0)
        content_count_unreadable(entry, job);
    if (job->r < 0 && job->outcome.reason == HF_MANIFEST_REASON_SOURCE_UNREACHABLE)
        content_lost(entry, &entry->r.good);
}

/* ---- to the disk ------------------------------------------------------------------------------------------------- */

static int run_store(struct job *job)
{
    const struct hf_fs_ops *fs = job->entry->engine->p.env.fs;
    char path[PATH_MAX];
    int r = hf_dir_make(fs, job->entry->folder, 0700, &job->err);

    (void)snprintf(path, sizeof(path), "%s/b-%s", job->entry->folder, job->bundle->digest);
    job->names = hf_substitute_label_names(job->bundle);
    return r < 0 ? r : hf_bundle_save(fs, path, job->bundle, &job->err);
}

static void stored(struct entry *entry, struct job *job)
{
    char text[HF_RECORD_MESSAGE];

    entry->storing_bytes = 0;
    if (job->r < 0) { /* the source delivers it again, after a growing pause */
        note(entry, hf_manifest_outcome_reason(job->r), hf_err_text(&job->err, text, sizeof(text)));
        memcpy(entry->unstored, job->bundle->digest, sizeof(entry->unstored));
        entry->r.known_revision[0] = '\0';
        content_stop(entry);
        entry->hold.reason = hf_manifest_outcome_reason(job->r);
        entry->hold.until_ns = advance_pause(entry);
        return;
    }
    if (entry->unstored[0] != '\0')
        note(entry, HF_MANIFEST_REASON_NONE, NULL);
    entry->unstored[0] = '\0';
    (void)snprintf(entry->r.known_digest, sizeof(entry->r.known_digest), "%s", job->bundle->digest);
    (void)snprintf(entry->r.known_revision, sizeof(entry->r.known_revision), "%s", job->revision);
    memcpy(entry->r.known_from, job->from, sizeof(entry->r.known_from));
    entry->r.known_bytes = job->bundle->bytes;
    json_decref(entry->r.known_names);
    entry->r.known_names = hf_steal(job->names);
    entry->recheck = true;
    advance_save(entry);
}

bool content_consider(struct entry *entry)
{
    if (entry->source != NULL)
        hf_manifest_source_ready(entry->source);
    if (entry->incoming == NULL)
        return false;
    if (strcmp(entry->incoming->digest, entry->r.known_digest) == 0) { /* the same again, perhaps from another place */
        hf_bundle_free(entry->incoming);
        entry->incoming = NULL;
        if (strcmp(entry->incoming_revision, entry->r.known_revision) == 0 &&
            strcmp(entry->incoming_from, entry->r.known_from) == 0)
            return false;
        memcpy(entry->r.known_from, entry->incoming_from, sizeof(entry->r.known_from));
        (void)snprintf(entry->r.known_revision, sizeof(entry->r.known_revision), "%s", entry->incoming_revision);
        advance_save(entry);
        return true;
    }
    struct job *job = task_new(entry, run_store, stored);
    if (job == NULL)
        return false;
    job->bundle = hf_steal(entry->incoming);
    memcpy(job->from, entry->incoming_from, sizeof(job->from));
    memcpy(job->revision, entry->incoming_revision, sizeof(job->revision));
    entry->storing_bytes = job->bundle->bytes;
    task_submit(job);
    return true;
}
