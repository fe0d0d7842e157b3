/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the store that has the content of a set, or every store of the entry.
 *
 * A set whose entry is `from.secret` is in the store in memory, each other one on disk. An entry may change from one to
 * the other: then its good set is in one store and its newest set in the other. So what is asked of the entry goes to
 * every store, and each answers for its own sets. */
#include "manifests/content/store.h"

#include <assert.h>
#include <string.h>

#include "manifests/content/secret.h"
#include "manifests/entry.h"

static const struct content_store *store_of(const struct entry *entry, const struct hf_manifest_set *set)
{
    bool in_memory = hf_json_at(set->entry, "from.secret") != NULL;
    const struct content_store *const *store = entry->stores;

    while (*store != NULL && (*store)->in_memory != in_memory)
        store++;
    assert(*store != NULL);
    return *store;
}

/* Calls a function of every store that has it. */
#define EACH(entry, function, ...)                                                                                     \
    for (const struct content_store *const *store_ = (entry)->stores; *store_ != NULL; store_++)                       \
        if ((*store_)->function != NULL)                                                                               \
    (*store_)->function(__VA_ARGS__)

/* True if a function of some store returns true. */
#define ANY(ret, entry, function, ...)                                                                                 \
    for (const struct content_store *const *store_ = (entry)->stores; !(ret) && *store_ != NULL; store_++)             \
    (ret) = (*store_)->function != NULL && (*store_)->function(__VA_ARGS__)

/* ---- one set ----------------------------------------------------------------------------------------------------- */

bool content_store_in_memory(const struct entry *entry, const struct hf_manifest_set *set)
{
    return store_of(entry, set)->in_memory;
}

bool content_store_allows(const struct entry *entry, const struct hf_manifest_set *set, const struct hf_config *config,
                          enum hf_config_scope scope, const char *path)
{
    return store_of(entry, set)->allows(config, scope, path, NULL);
}

bool content_store_leaks(const struct entry *entry, const struct hf_manifest_set *set)
{
    const struct content_store *store = store_of(entry, set);

    return store->leaks != NULL && store->leaks(entry->engine->p.env.world.fs);
}

bool content_store_has(const struct entry *entry, const struct hf_manifest_set *set)
{
    return store_of(entry, set)->has(entry, set);
}

int content_store_load(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                       struct hf_manifest_outcome *outcome)
{
    const struct content_store *store = store_of(entry, set);
    int r = store->load(entry, set, ret_bundle, outcome);

    assert(r < 0 ? outcome->reason != HF_MANIFEST_REASON_NONE : (*ret_bundle)->secret == store->in_memory);
    return r;
}

/* ---- the newest set ---------------------------------------------------------------------------------------------- */

bool content_store_take(struct entry *entry)
{
    const struct content_store *const *store = entry->stores;

    if (!content_waits(&entry->content))
        return false;
    while (*store != NULL && (*store)->in_memory != entry->content.incoming->secret)
        store++;
    assert(*store != NULL);
    return (*store)->take(entry);
}

bool content_store_waits(struct entry *entry)
{
    const struct content_store *store = store_of(entry, &entry->r.next);

    return store->waits != NULL && store->waits(entry);
}

bool content_store_again(struct entry *entry)
{
    const struct content_store *store = store_of(entry, &entry->r.next);

    entry->secret.again = store->again != NULL && store->again(entry);
    return entry->secret.again;
}

bool content_store_is_again(const struct entry *entry)
{
    return entry->secret.again;
}

bool content_store_stalls(struct entry *entry)
{
    const struct content_store *store = store_of(entry, &entry->r.next);

    return store->stalls != NULL && store->stalls(entry);
}

/* ---- the good set ------------------------------------------------------------------------------------------------ */

int content_store_keep(struct entry *entry, const struct hf_manifest_set *set, const struct hf_files_place *place,
                       struct hf_manifest_outcome *outcome)
{
    const struct content_store *store = store_of(entry, set);

    if (store->keep == NULL)
        store = store_of(entry, &entry->r.good);
    return store->keep != NULL ? store->keep(entry, place, outcome) : 0;
}

const struct secret_kept *content_store_kept(const struct entry *entry)
{
    return entry->secret.kept.bundle != NULL ? &entry->secret.kept : NULL;
}

bool content_store_returns(struct entry *entry)
{
    const struct content_store *store = store_of(entry, &entry->r.good);

    return store->returns != NULL && store->returns(entry);
}

bool content_store_has_good(const struct entry *entry)
{
    const struct hf_manifest_set *good = &entry->r.good;

    return good->key[0] != '\0' && content_store_in_memory(entry, good) && content_store_has(entry, good);
}

bool content_store_lacks(const struct entry *entry)
{
    return content_store_in_memory(entry, hf_manifest_record_owner(&entry->r)) && content_store_kept(entry) == NULL &&
           !content_store_has_good(entry);
}

bool content_store_goes_forward(const struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;

    return content_store_in_memory(entry, &r->next) && content_store_in_memory(entry, &r->good) &&
           content_store_kept(entry) == NULL && !content_store_has_good(entry) && entry->inventory.pending &&
           content_store_has(entry, &r->next);
}

void content_store_drifted(struct entry *entry, struct hf_diff *diff)
{
    const struct content_store *store = store_of(entry, &entry->r.good);

    assert(store->drifted != NULL); /* the other store always has it */
    store->drifted(entry, diff);
}

bool content_store_verifies(struct entry *entry)
{
    bool any = false;

    ANY(any, entry, verifies, entry);
    return any;
}

void content_store_repaired(struct entry *entry)
{
    EACH(entry, repaired, entry);
}

/* ---- the entry --------------------------------------------------------------------------------------------------- */

void content_store_begin(struct entry *entry)
{
    EACH(entry, begin, entry);
}

void content_store_renew(struct entry *entry, bool other_source)
{
    EACH(entry, renew, entry, other_source);
}

void content_store_check(struct entry *entry)
{
    EACH(entry, check, entry);
}

bool content_store_wants_cleanup(const struct entry *entry)
{
    bool any = false;

    ANY(any, entry, wants_cleanup, entry);
    return any;
}

bool content_store_settle(struct entry *entry, void (*then)(struct entry *entry))
{
    bool any = false;

    ANY(any, entry, settle, entry, then);
    return any;
}

const char *content_store_copy(const struct entry *entry)
{
    const struct content_store *store = store_of(entry, &entry->r.good);

    return store->copy != NULL ? store->copy(entry) : "";
}

void content_store_swept(struct entry *entry, const char *copy)
{
    EACH(entry, swept, entry, copy);
}

bool content_store_is_revoked(const struct entry *entry)
{
    return entry->secret.revoked;
}

void content_store_removed(struct entry *entry)
{
    entry->secret.revoked = false;
}

void content_store_done(struct entry *entry)
{
    EACH(entry, done, entry);
}
