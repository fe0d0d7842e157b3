/* SPDX-License-Identifier: Apache-2.0 */
/* The content of a Secret: in memory from the moment the source delivers it until the entry rests again, and never in
 * the state folder. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "manifests/content/secret.h"
#include "manifests/entry.h"
#include "manifests/files/before.h"
#include "os/file.h"

bool secret_is(const json_t *entry)
{
    return hf_json_at(entry, "from.secret") != NULL;
}

bool secret_has(const struct entry *entry, const struct hf_manifest_set *set)
{
    return entry->secret.bundle != NULL && strcmp(entry->secret.bundle->digest, set->digest) == 0;
}

int secret_bundle(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                  struct hf_err *err)
{
    if (secret_has(entry, set))
        return hf_bundle_copy(entry->secret.bundle, ret_bundle, err);
    return hf_err_set(err, ENODATA, "the content of the Secret is not on this node until the API server answers");
}

void secret_put(struct entry *entry, struct hf_bundle *bundle)
{
    assert(bundle == NULL || bundle->secret);
    hf_bundle_free(entry->secret.bundle);
    entry->secret.bundle = bundle;
    entry->secret.asked = false;
}

void secret_wipe(struct entry *entry)
{
    entry->secret.lost = entry->secret.lost && entry->r.phase != HF_MANIFEST_APPLIED;
    hf_bundle_free(hf_steal(entry->secret.bundle));
    hf_bundle_free(entry->secret.kept.bundle);
    hf_inventory_done(&entry->secret.kept.list);
    hf_inventory_done(&entry->secret.kept.foreign);
    entry->secret.kept.bundle = NULL;
}

/* ---- before and after -------------------------------------------------------------------------------------------- */

int secret_keep(struct entry *entry, const struct hf_files_place *place, struct hf_manifest_outcome *outcome)
{
    struct hf_err err = HF_ERR_INIT;

    if (place->found.n_replace + place->found.n_adopt > 0 && hf_files_before_note(place, &err) < 0)
        return hf_manifest_outcome_fail(outcome, hf_manifest_outcome_reason(-err.code), -err.code, &err);
    /* After a crash in the middle of a swap, what is in place is a mixture, and nothing to go back to. */
    if (place->inventory->pending || (entry->r.unproven && !entry->r.good_unknown) ||
        place->found.n_write + place->found.n_prune + place->found.n_adopt == 0)
        return 0;
    hf_bundle_free(hf_steal(entry->secret.kept.bundle));
    hf_inventory_done(&entry->secret.kept.list);
    hf_inventory_done(&entry->secret.kept.foreign);
    int r = hf_files_before_read(place, &entry->secret.kept.bundle, &entry->secret.kept.list,
                                 &entry->secret.kept.foreign, &err);
    assert(r < 0 || entry->secret.kept.bundle->secret);
    if (r == 0 && entry->secret.kept.bundle->n == 0 && hf_inventory_files(place->inventory) > 0) {
        hf_bundle_free(entry->secret.kept.bundle); /* a power cut has emptied the memory: nothing to go back to */
        entry->secret.kept.bundle = NULL;
    }
    return r < 0 ? hf_manifest_outcome_fail(outcome, hf_manifest_outcome_reason(r), r, &err) : 0;
}

/* A compressed swap in memory is no disk. */
bool secret_may_be_swapped(const struct hf_fs_ops *fs)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16 << 10);
    struct hf_view left, line;

    if (hf_file_read(fs, "/proc/swaps", &text, NULL) < 0)
        return false;
    left = hf_buf_view(&text);
    (void)hf_view_split(&left, '\n', &line); /* the heading */
    while (left.n > 0 && hf_view_split(&left, '\n', &line))
        if (line.n > 0 && line.p[0] == '/' && !hf_view_starts(line, "/dev/zram"))
            return true;
    return false;
}
