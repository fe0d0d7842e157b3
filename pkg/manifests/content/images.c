/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/content/images.h"

#include <errno.h>
#include <string.h>

#include "manifests/content/store.h"
#include "manifests/entry.h"
#include "manifests/targets/target.h"

struct image_reading {
    struct job job;
    struct attempt *attempt;
    struct hf_manifest_images found;
};

static void end_reading(struct job *job)
{
    struct image_reading *reading = hf_container_of(job, struct image_reading, job);

    make_attempt_free(reading->attempt);
    hf_manifest_images_done(&reading->found);
}

/* A file that cannot be read as YAML names none: the set is refused when its turn comes. */
static int run_reading(struct job *job)
{
    struct image_reading *reading = hf_container_of(job, struct image_reading, job);
    const struct target_ops *target = target_of(job->entry, &reading->attempt->set);
    _cleanup_(hf_bundle_freep) struct hf_bundle *bundle = NULL;
    int r = make_bundle(job->entry, reading->attempt, &bundle, &job->outcome);

    for (size_t i = 0; r == 0 && i < bundle->n; i++) {
        _cleanup_(hf_json_freep) json_t *documents = NULL;
        if (!target->names_images(bundle->files[i].path))
            continue;
        r = hf_yaml_parse_all(bundle->files[i].bytes, NULL, &documents, NULL);
        r = r < 0 && r != -ENOMEM ? 0 : r;
        if (r == 0)
            r = hf_manifest_images_add(&reading->found, documents);
    }
    return r;
}

/* A failure is not told here: the attempt to place the set meets it, too, and tells it. */
static void have_read(struct entry *entry, struct job *job)
{
    struct image_reading *reading = hf_container_of(job, struct image_reading, job);
    struct content_images *images = &entry->images;

    memcpy(images->key, reading->attempt->set.key, sizeof(images->key));
    images->found = reading->found;
    reading->found = (struct hf_manifest_images){.n = 0};
    hf_steer_core_notify(&entry->engine->core);
    hf_steer_machine_wake(&entry->machine);
}

bool content_images_consider(struct entry *entry, const struct hf_manifest_set *set)
{
    struct content_images *images = &entry->images;
    bool wanted = entry->engine->reads_images && target_of(entry, set)->names_images != NULL &&
                  !content_store_in_memory(entry, set);

    if (wanted && strcmp(images->key, set->key) == 0)
        return false;
    images->key[0] = '\0';
    hf_manifest_images_done(&images->found);
    if (!wanted)
        return false;
    struct image_reading *reading = task_new_operation(sizeof(*reading), entry, run_reading, have_read, end_reading);
    if (reading == NULL)
        return false;
    reading->attempt = make_attempt(entry, set);
    if (reading->attempt == NULL) {
        task_discard(reading);
        return false;
    }
    task_submit(&reading->job);
    return true;
}

const struct hf_manifest_images *content_images_get(const struct entry *entry, bool *ret_waits)
{
    bool over = entry->r.phase == HF_MANIFEST_REFUSED || entry->r.phase == HF_MANIFEST_ROLLED_BACK;
    const struct hf_manifest_set wanted = {.entry = entry->wanted != NULL ? entry->wanted->json : NULL};

    *ret_waits = false;
    if (over || wanted.entry == NULL || target_of(entry, &wanted)->names_images == NULL ||
        content_store_in_memory(entry, &wanted))
        return NULL;
    *ret_waits = entry->images.key[0] == '\0' || strcmp(entry->r.known_from, entry->content.wanted_from) != 0;
    return &entry->images.found;
}
