/* SPDX-License-Identifier: Apache-2.0 */
/* The object that the caller wants, and the one that the journal names. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "update/release.h"
#include "update/state/committed.h"

static const uint64_t no_memory_retry_ns = 5 * HF_NS_PER_S;

void wanted_restore(struct release *release, json_t *kept)
{
    release->wanted.kept = kept;
    release->wanted.accepted = hf_committed_decode(kept);
}

void wanted_done(struct release *release)
{
    struct release_wanted *wanted = &release->wanted;

    hf_edgeupdate_free(wanted->accepted);
    hf_edgeupdate_free(wanted->asked);
    hf_edgeupdate_free(wanted->object);
    json_decref(wanted->kept);
}

bool wanted_matches(const struct release *release)
{
    const struct hf_edgeupdate *object = release->wanted.object;

    return object != NULL && strcmp(object->release.digest, release->j.digest) == 0;
}

bool wanted_no_more(const struct release *release)
{
    enum hf_phase phase = release->j.phase;

    return release->wanted.object == NULL &&
           (phase == HF_PHASE_COMMITTED || phase == HF_PHASE_ROLLED_BACK || phase == HF_PHASE_IDLE);
}

int wanted_set(struct release *release, const struct hf_desired *desired)
{
    struct release_wanted *wanted = &release->wanted;

    release->review.current = false;
    if (desired == NULL && wanted->ordered) {
        hf_edgeupdate_free(hf_steal(wanted->asked));
        return 0;
    }
    if (desired == NULL) {
        wanted_repair_end(release);
        hf_edgeupdate_free(hf_steal(wanted->object));
        return 0;
    }
    bool replaced = wanted->asked != NULL || wanted->ordered;
    assert(!replaced || wanted->object != wanted->asked);
    struct hf_edgeupdate **set = replaced ? &wanted->asked : &wanted->object;
    wanted->gate = desired->gate;
    wanted->held = desired->held;
    wanted->turn_missing = desired->turn_missing;
    wanted->writes_used_up = desired->writes_used_up;
    wanted->link = desired->link;
    if (*set != NULL && ((*set)->json == desired->update->json || json_equal((*set)->json, desired->update->json)))
        return 0;
    struct hf_edgeupdate *object = hf_committed_decode(desired->update->json);
    if (object == NULL)
        return -ENOMEM;
    if (!replaced)
        retry_object_changed(release, object);
    else
        wanted->object->bandwidth_limit = object->bandwidth_limit;
    release->drift.newer_due_ns = 0;
    hf_edgeupdate_free(*set);
    *set = object;
    return 0;
}

/* ---- the repair of the committed release ------------------------------------------------------------------------- */

void wanted_repair(struct release *release, struct hf_edgeupdate *committed)
{
    struct release_wanted *wanted = &release->wanted;

    assert(wanted->asked == NULL && !wanted->ordered); /* `object` is what the caller wants */
    assert(strcmp(committed->release.digest, release->j.good_digest) == 0);
    committed->bandwidth_limit = wanted->object->bandwidth_limit;
    wanted->asked = wanted->object;
    wanted->object = committed;
    release->review.current = false;
}

bool wanted_order_again(struct release *release)
{
    const struct release_wanted *wanted = &release->wanted;
    bool known = wanted->accepted != NULL && strcmp(wanted->accepted->release.digest, release->j.good_digest) == 0;
    struct hf_edgeupdate *before = known ? hf_committed_decode(wanted->kept) : NULL;

    if (before != NULL)
        wanted_order(release, before);
    return before != NULL;
}

void wanted_order(struct release *release, struct hf_edgeupdate *before)
{
    struct release_wanted *wanted = &release->wanted;

    wanted_repair_end(release);
    wanted->asked = wanted->object;
    wanted->object = before;
    wanted->ordered = true;
    release->review.current = false;
}

void wanted_repair_end(struct release *release)
{
    struct release_wanted *wanted = &release->wanted;

    if (wanted->asked == NULL && !wanted->ordered)
        return;
    hf_edgeupdate_free(wanted->object);
    wanted->object = wanted->asked;
    wanted->asked = NULL;
    wanted->ordered = false;
    release->review.current = false;
}

bool wanted_is_local(const struct release *release)
{
    const struct hf_journal *j = &release->j;
    const struct release_wanted *wanted = &release->wanted;

    return wanted->ordered || (j->good_local && strcmp(wanted->object->release.digest, j->good_digest) == 0);
}

bool wanted_goes_back(const struct release *release)
{
    return release->j.local && !release->j.good_local;
}

bool wanted_held(const struct release *release)
{
    return release->wanted.held || release->wanted.gate == HF_GATE_HELD;
}

/* The part of the object that the journal keeps: enough to decode it again and to finish the update without a
 * server. */
static json_t *reduce(const struct hf_edgeupdate *update)
{
    const json_t *spec = json_object_get(update->json, "spec");
    json_t *release = json_object_get(spec, "release"), *signatures = json_object_get(spec, "signatures");

    return json_pack("{s:s, s:s, s:{s:s}, s:{s:O, s:O*}}", "apiVersion", HF_API_GROUP_VERSION, "kind", "EdgeUpdate",
                     "metadata", "name", update->meta.name, "spec", "release", release, "signatures", signatures);
}

json_t *wanted_committed(const struct release *release)
{
    const struct hf_edgeupdate *objects[] = {release->wanted.accepted, release->wanted.object};

    for (size_t i = 0; i < HF_LEN(objects); i++)
        if (objects[i] != NULL && strcmp(objects[i]->release.digest, release->j.good_digest) == 0)
            return reduce(objects[i]);
    return NULL;
}

static void set_text(char *to, size_t n, const char *from)
{
    memset(to, 0, n);
    (void)snprintf(to, n, "%s", from);
}

/* A journal for this release, with the history of the one before. `from`: installed version; "" unknown. */
static struct hf_journal new_journal(const struct release *release, const char *from)
{
    const struct hf_release *spec = &release->wanted.accepted->release;
    const struct hf_artifact *artifact = hf_release_artifact(spec, release->engine->p.arch);
    struct hf_journal j = release->j;

    set_text(j.from, sizeof(j.from), from);
    set_text(j.digest, sizeof(j.digest), spec->digest);
    set_text(j.version, sizeof(j.version), spec->version);
    set_text(j.path, sizeof(j.path), self_path_of(release->engine, &spec->install));
    set_text(j.sha256, sizeof(j.sha256), artifact != NULL ? artifact->sha256 : "");
    set_text(j.old_sha256, sizeof(j.old_sha256), "");
    set_text(j.old_link, sizeof(j.old_link), "");
    set_text(j.made_folder, sizeof(j.made_folder), "");
    set_text(j.avoid, sizeof(j.avoid), "");
    set_text(j.detour, sizeof(j.detour), "");
    set_text(j.boots.changed, sizeof(j.boots.changed), "");
    j.sequence = spec->sequence;
    j.kind = spec->install.kind;
    j.size = artifact != NULL ? artifact->size : 0;
    j.method = HF_METHOD_NONE;
    j.local = wanted_is_local(release);
    j.no_delta = j.had_old = j.probed = j.restarted = j.hooked = j.boots.happened = false;
    j.bytes_fetched = 0;
    j.attempts = j.starts = j.wasted = j.changes = 0;
    return j;
}

void wanted_accept(struct release *release, enum hf_update_event event, enum hf_reason reason)
{
    struct release_wanted *wanted = &release->wanted;
    assert(!step_is_in_progress(release)); /* a step belongs to the release that the journal names */
    json_t *kept = reduce(wanted->object);
    struct hf_edgeupdate *accepted = hf_committed_decode(kept);

    if (accepted == NULL) {
        json_decref(kept);
        release->retry.due_ns = hf_mono_ns(release->engine->p.world.clock) + no_memory_retry_ns;
        return;
    }
    hf_edgeupdate_free(wanted->accepted);
    json_decref(wanted->kept);
    wanted->accepted = accepted;
    wanted->kept = kept;
    /* After a drift nobody knows which version is there. */
    bool drifted = event == HF_EV_DRIFTED || (wanted->asked != NULL && !wanted->ordered);
    release->j = new_journal(release, drifted ? "" : hf_journal_installed(&release->j));
    release->retry.paid_bytes = 0;
    release->retry.due_ns = 0;
    hf_backoff_reset(&release->machine.backoff);
    release->attempt.recheck = release->attempt.kept_failed = false;
    release->attempt.delta_failures = release->attempt.restart_tries = 0;
    transition_event(release, event, reason, NULL);
}
