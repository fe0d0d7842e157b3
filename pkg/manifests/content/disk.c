/* SPDX-License-Identifier: Apache-2.0 */
/* The store on disk: the file b-<digest> in the folder of the entry for each content. Cleanups remove those that no set
 * needs (commit.c). */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "manifests/content/content.h"
#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/source/substitute.h"
#include "os/dir.h"

static void find_path(const struct entry *entry, const char *digest, char path[PATH_MAX])
{
    (void)snprintf(path, PATH_MAX, "%s/b-%s", entry->folder, digest);
}

/* Only a read says more. */
static bool has(HF_UNUSED const struct entry *entry, HF_UNUSED const struct hf_manifest_set *set)
{
    return true;
}

static int load(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome)
{
    struct hf_err err = HF_ERR_INIT;
    char path[PATH_MAX];

    find_path(entry, set->digest, path);
    int r = hf_bundle_load(entry->engine->p.env.world.fs, path, ret_bundle, &err);
    bool lost = r == -ENOENT || r == -EBADMSG;
    if (r < 0)
        return hf_manifest_outcome_fail(
            outcome, lost ? HF_MANIFEST_REASON_SOURCE_UNREACHABLE : HF_MANIFEST_REASON_WRITE_FAILED, r, &err);
    return 0;
}

/* ---- take a content ---------------------------------------------------------------------------------------------- */

struct intake {
    struct job job;
    struct hf_bundle *bundle;          /* owned */
    json_t *names;                     /* value of r.known_names for it; owned */
    char from[HF_SHA256_HEX];          /* hf_manifest_source_key() of the source that delivered it */
    char revision[HF_RECORD_REVISION]; /* the source may deliver a newer one meanwhile */
};

static void end_store(struct job *job)
{
    struct intake *intake = hf_container_of(job, struct intake, job);

    hf_bundle_free(intake->bundle);
    json_decref(intake->names);
}

static int run_store(struct job *job)
{
    struct intake *intake = hf_container_of(job, struct intake, job);
    const struct hf_fs_ops *fs = job->entry->engine->p.env.world.fs;
    char path[PATH_MAX];
    int r = hf_dir_make(fs, job->entry->folder, 0700, &job->err);

    assert(!intake->bundle->secret);
    find_path(job->entry, intake->bundle->digest, path);
    intake->names = hf_substitute_label_names(intake->bundle);
    return r < 0 ? r : hf_bundle_save(fs, path, intake->bundle, &job->err);
}

/* The source delivers it again, after a growing pause. */
static void not_stored(struct entry *entry, struct job *job)
{
    const struct intake *intake = hf_container_of(job, struct intake, job);
    struct content *content = &entry->content;

    content_tell(entry, hf_manifest_outcome_reason(job->r), HF_ERR_TEXT(&job->err));
    memcpy(content->unstored, intake->bundle->digest, sizeof(content->unstored));
    entry->r.known_revision[0] = '\0';
    content_stop(entry);
    content->hold.reason = hf_manifest_outcome_reason(job->r);
    content->hold.until_ns = advance_pause(entry);
    content_move(content, HF_CONTENT_EV_HELD);
    entry->engine->may_hold = true;
}

static void stored(struct entry *entry, struct job *job)
{
    struct intake *intake = hf_container_of(job, struct intake, job);
    struct content *content = &entry->content;

    content->storing_bytes = 0;
    content_move(content, HF_CONTENT_EV_ENDED);
    if (job->r < 0) {
        not_stored(entry, job);
        return;
    }
    if (content->unstored[0] != '\0')
        content_tell(entry, HF_MANIFEST_REASON_NONE, NULL);
    content->unstored[0] = '\0';
    (void)snprintf(entry->r.known_digest, sizeof(entry->r.known_digest), "%s", intake->bundle->digest);
    (void)snprintf(entry->r.known_revision, sizeof(entry->r.known_revision), "%s", intake->revision);
    memcpy(entry->r.known_from, intake->from, sizeof(entry->r.known_from));
    entry->r.known_bytes = intake->bundle->bytes;
    json_decref(entry->r.known_names);
    entry->r.known_names = hf_steal(intake->names);
    entry->recheck = true;
    advance_save(entry);
}

/* The content is on disk, and has perhaps come from another place. */
static bool take_known(struct entry *entry)
{
    const struct content *content = &entry->content;

    hf_bundle_free(content_take(&entry->content));
    if (strcmp(content->incoming_revision, entry->r.known_revision) == 0 &&
        strcmp(content->incoming_from, entry->r.known_from) == 0)
        return false;
    memcpy(entry->r.known_from, content->incoming_from, sizeof(entry->r.known_from));
    (void)snprintf(entry->r.known_revision, sizeof(entry->r.known_revision), "%s", content->incoming_revision);
    advance_save(entry);
    return true;
}

static bool take(struct entry *entry)
{
    struct content *content = &entry->content;

    assert(!entry->busy && content->slot == HF_CONTENT_INCOMING);
    if (strcmp(content->incoming->digest, entry->r.known_digest) == 0)
        return take_known(entry);
    struct intake *intake = task_new_operation(sizeof(*intake), entry, run_store, stored, end_store);
    if (intake == NULL)
        return false;
    intake->bundle = hf_steal(content->incoming);
    memcpy(intake->from, content->incoming_from, sizeof(intake->from));
    memcpy(intake->revision, content->incoming_revision, sizeof(intake->revision));
    content->storing_bytes = intake->bundle->bytes;
    content_move(content, HF_CONTENT_EV_BEGAN);
    task_submit(&intake->job);
    return true;
}

const struct content_store content_disk_store = {
    .allows = hf_config_allows_manifest_file,
    .has = has,
    .load = load,
    .take = take,
};
