/* SPDX-License-Identifier: Apache-2.0 */
/* Follows the source of an entry, and passes on what it delivers.
 *
 *     source --> delivered() --> content.incoming --> content_consider() --> a store, and the record
 *                    |
 *                    '--> turned away: a hold begins, and content_hold() stops the source until it ends
 *
 * A content may come at any time, and waits in memory until the entry rests: so contents that may be large come in turn
 * (takes()). A source delivers each content once. Whatever is lost on the way, here or on the disk, needs the source to
 * start again with no known revision: content_lost().
 *
 * The decisions are in rules/content_machine.h, over the plain facts that this file collects; what changes struct
 * content alone is in content.c. */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"
#include "manifests/content/content.h"
#include "manifests/content/permit.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"

void content_tell(struct entry *entry, enum hf_manifest_reason reason, const char *message)
{
    if (!content_note(&entry->content, reason, message))
        return;
    if (reason != HF_MANIFEST_REASON_NONE)
        hf_log(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.source", HF_S("entry", entry->name),
               HF_S("reason", hf_manifest_reason_name(reason)), HF_S("message", entry->content.note.message));
    hf_steer_core_notify(&entry->engine->core);
}

/* ---- what the node takes up now ---------------------------------------------------------------------------------- */

/* MANIFEST_MAX_LEFT_BYTES bounds the contents of the entries that only wait for their removal. */
static struct hf_content_room room_of(const struct entry *entry)
{
    const struct hf_manifest_engine *engine = entry->engine;
    struct hf_content_room room = {.now_ns = hf_steer_core_now_ns(&engine->core),
                                   .interval_ns = engine->interval_ns,
                                   .no_space = engine->p.env.no_space,
                                   .writes_used_up = engine->p.env.writes_used_up};

    for (size_t i = 0; i < engine->entries.n; i++) {
        const struct entry *other = engine->entries.entries[i].value;
        if (other == entry || !other->in_policy)
            continue;
        room.in_memory += content_bytes(&other->content);
        room.everywhere += content_bytes(&other->content) + other->r.known_bytes;
    }
    return room;
}

static struct hf_content_offer offer_of(const struct entry *entry, const struct hf_bundle *bundle)
{
    enum hf_manifest_from_kind kind = entry->wanted->from.kind;

    return (struct hf_content_offer){.bytes = bundle->bytes,
                                     .secret = bundle->secret,
                                     .has_turn = bundle->turn != NULL,
                                     .downloads = kind == HF_MANIFEST_FROM_URL || kind == HF_MANIFEST_FROM_FLUX,
                                     .comes_again = strcmp(bundle->digest, entry->content.unstored) == 0};
}

static bool is_held(const struct entry *entry)
{
    if (!hf_content_machine_has_hold(entry->content.intake))
        return false;
    const struct hf_content_room room = room_of(entry);
    return hf_content_machine_holds(&entry->content.hold, &room);
}

static void free_source(struct content *content)
{
    hf_manifest_source_free(hf_steal(content->source));
    content_move(content, HF_CONTENT_EV_STOPPED);
}

void content_hold(struct entry *entry)
{
    struct content *content = &entry->content;
    uint64_t until_ns = content->hold.until_ns;

    switch (hf_content_machine_turn(content->intake, is_held(entry), entry->secret.asked)) {
    case HF_CONTENT_LIFT:
        content->hold.reason = HF_MANIFEST_REASON_NONE;
        content_move(content, HF_CONTENT_EV_LIFTED);
        content_follow(entry);
        return;
    case HF_CONTENT_STOP:
        free_source(content);
        break;
    default:
        break;
    }
    if (hf_content_machine_has_hold(content->intake) && until_ns > 0)
        hf_steer_machine_wake_in(&entry->machine, until_ns - hf_steer_core_now_ns(&entry->engine->core));
}

/* A content that the entry needs takes a token only if there is one. */
static bool spend(struct entry *entry)
{
    uint64_t now = hf_steer_core_now_ns(&entry->engine->core);

    if (hf_content_pace_wait_ns(&entry->content.pace, now) > 0)
        return false;
    hf_content_pace_spend(&entry->content.pace, now, entry->engine->interval_ns);
    return true;
}

bool content_pace_takes(struct entry *entry, char text[HF_RECORD_MESSAGE])
{
    struct hf_content_pace *pace = &entry->content.pace;

    if (spend(entry))
        return true;
    (void)snprintf(text, HF_RECORD_MESSAGE,
                   "labels of the node change too often: the node takes them up once in %u min",
                   (unsigned)(pace->gap_ns / (60 * HF_NS_PER_S)));
    hf_steer_machine_wake_in(&entry->machine,
                             hf_content_pace_wait_ns(pace, hf_steer_core_now_ns(&entry->engine->core)));
    return false;
}

/* ---- from the source --------------------------------------------------------------------------------------------- */

/* The entry has asked for the content of a Secret and cannot go on without one. If it turned away the version that
 * came, it would ask again at once. A content that is only to be sealed can wait. */
static bool is_needed(const struct entry *entry, const struct hf_bundle *bundle)
{
    return bundle->secret && entry->secret.asked && (entry->secret.lost || entry->r.phase != HF_MANIFEST_APPLIED);
}

/* Returns true if a content can go to disk soon. */
static bool takes(void *arg)
{
    const struct entry *entry = arg;

    return entry->life == ENTRY_STARTED && !entry->busy && !entry->machine.unsaved &&
           hf_manifest_machine_rests(entry->r.phase);
}

/* Returns true if the new content may not be taken up now. A hold has begun then; otherwise, it has ended. */
static bool turns_away(struct entry *entry, const struct hf_bundle *bundle)
{
    struct content *content = &entry->content;
    const struct hf_content_room room = room_of(entry);
    const struct hf_content_offer offer = offer_of(entry, bundle);
    char text[HF_RECORD_MESSAGE];
    bool turned = hf_content_machine_turns_away(&offer, &room, &content->pace, &content->hold, text, sizeof(text));

    content_move(content, turned ? HF_CONTENT_EV_HELD : HF_CONTENT_EV_LIFTED);
    entry->engine->may_hold = entry->engine->may_hold || turned;
    if (!turned)
        return false;
    content_tell(entry, content->hold.reason, text);
    entry->secret.asked = false;
    hf_steer_machine_wake(&entry->machine);
    return true;
}

static void accept(struct entry *entry, struct hf_bundle *bundle, const char *revision, bool is_new)
{
    /* Of a content that comes again, the note says why it could not be written. */
    if (!is_new || strcmp(bundle->digest, entry->content.unstored) != 0) {
        content_tell(entry, HF_MANIFEST_REASON_NONE, NULL);
        entry->content.unstored[0] = '\0';
        if (is_new)
            (void)spend(entry);
    }
    entry->secret.revoked = entry->secret.vault.forget = false;
    if (!takes(entry)) /* it may stay in memory for long, and others wait for their turn */
        hf_source_turn_free(hf_steal(bundle->turn));
    content_put(&entry->content, bundle, revision);
    hf_steer_machine_wake(&entry->machine);
}

static void delivered(void *arg, struct hf_bundle *bundle, const char *revision)
{
    struct entry *entry = arg;
    struct content *content = &entry->content;
    char text[HF_RECORD_MESSAGE], what[160];

    assert(entry->wanted != NULL && content->source != NULL); /* a source ends before its entry changes */
    if (bundle->n == 0) {
        hf_manifest_describe_source(entry->wanted, what, sizeof(what));
        (void)snprintf(text, sizeof(text), "%s has no files; what is in place stays", what);
        content_tell(entry, HF_MANIFEST_REASON_SOURCE_EMPTY, text);
        hf_bundle_free(bundle);
        return;
    }
    if (content_mismatches(content, bundle, entry->wanted->content_digest)) {
        content_tell(entry, content->mismatch.reason, content->mismatch.message);
        hf_bundle_free(bundle);
        return;
    }
    if (bundle->secret)
        memcpy(bundle->digest, bundle->id, sizeof(bundle->digest));
    bool is_new = strcmp(bundle->digest, entry->r.known_digest) != 0;
    if (is_new && !is_needed(entry, bundle) && turns_away(entry, bundle))
        hf_bundle_free(bundle);
    else
        accept(entry, bundle, revision, is_new);
}

static void unchanged(void *arg)
{
    const struct entry *entry = arg;

    content_tell(arg, entry->content.mismatch.reason, entry->content.mismatch.message);
}

static void failed(void *arg, enum hf_manifest_reason reason, const struct hf_err *err,
                   HF_UNUSED uint64_t retry_after_ns)
{
    content_tell(arg, reason, HF_ERR_TEXT(err));
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

    return entry->wanted->prune &&
           (entry->permit.is_signed || !owner->signed_ || hf_json_bool_or(owner->entry, "prune", false));
}

/* A name that never existed revokes nothing: it may be a mistake in the policy. An attempt that waits for the content
 * ends all the same (secret_fetch_stalls()). */
static void gone(void *arg, const char *what)
{
    struct entry *entry = arg;
    char text[HF_RECORD_MESSAGE];

    entry->secret.vault.forget = is_from_this_secret(entry);
    entry->secret.revoked = entry->secret.vault.forget && takes_along(entry);
    (void)snprintf(text, sizeof(text), "%s does not exist; what is in place %s", HF_CUT(250, what),
                   entry->secret.revoked ? "goes (prune)" : "stays");
    if (entry->wanted->from.kind == HF_MANIFEST_FROM_SECRET) /* its files may have to go, and an attempt may end */
        hf_steer_machine_wake(&entry->machine);
    content_tell(arg, HF_MANIFEST_REASON_SOURCE_GONE, text);
}

/* ---- the source -------------------------------------------------------------------------------------------------- */

void content_stop(struct entry *entry)
{
    struct content *content = &entry->content;

    free_source(content);
    hf_bundle_free(hf_steal(content->incoming));
    content_move(content, HF_CONTENT_EV_DROPPED);
}

static void start(struct entry *entry)
{
    struct content *content = &entry->content;
    struct hf_err err = HF_ERR_INIT;
    char work_dir[PATH_MAX];
    bool is_known = strcmp(entry->r.known_from, content->wanted_from) == 0;
    struct hf_manifest_source_params params = {
        .env = &entry->engine->p.env,
        .entry = entry->wanted,
        .signed_ = entry->permit.is_signed,
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

    assert(content->source == NULL && content->wanted_from[0] != '\0');
    (void)snprintf(work_dir, sizeof(work_dir), "%s/" MANIFEST_DOWNLOAD, entry->folder);
    content->mismatch = (struct entry_note){.reason = HF_MANIFEST_REASON_NONE};
    int r = hf_manifest_source_new(&params, &content->source, &err);
    if (r < 0)
        content_tell(entry, r == -EACCES ? HF_MANIFEST_REASON_NOT_ALLOWED : HF_MANIFEST_REASON_UNSUPPORTED,
                     HF_ERR_TEXT(&err));
    else
        content_move(content, HF_CONTENT_EV_STARTED);
}

void content_follow(struct entry *entry)
{
    enum hf_content_intake intake = entry->content.intake;

    if (entry->wanted != NULL && entry->life != ENTRY_UNREADABLE &&
        hf_content_machine_follow(intake, is_held(entry), entry->secret.asked) == HF_CONTENT_START &&
        permit_ask(entry, NULL) == HF_MANIFEST_REASON_NONE)
        start(entry);
}

void content_check(struct entry *entry)
{
    if (entry->content.source != NULL)
        hf_manifest_source_refresh(entry->content.source);
    else
        content_follow(entry);
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
    if (hf_content_machine_count_read(&entry->content.reads, job->unreadable))
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

/* ---- to the store ------------------------------------------------------------------------------------------------ */

bool content_consider(struct entry *entry)
{
    if (entry->content.source != NULL)
        hf_manifest_source_ready(entry->content.source);
    return content_store_take(entry);
}
