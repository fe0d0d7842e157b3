/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory, for the contents of Secrets: what the parts of it do together.
 *
 *     secret.c         the content itself, and what a rollback needs
 *     secret_fetch.c   gets a content that is not in memory any more from the API server
 *     vault.c          the copy of the good set's content that is sealed to the TPM
 *
 * A content is in memory from the moment it is delivered until the entry rests again (settle()), or until the copy is
 * made. After that its files are in place, on a tmpfs, and the inventory has their hashes. A repair, a rollback or a
 * restart needs it again: from the copy if the TPM opens it, otherwise from the API server. It never goes to a disk
 * unsealed, and the memory is overwritten before it is freed. */
#include <string.h>

#include "manifests/content/secret.h"
#include "manifests/content/secret_fetch.h"
#include "manifests/content/store.h"
#include "manifests/content/vault.h"
#include "manifests/drift.h"
#include "manifests/entry.h"

static int load(const struct entry *entry, const struct hf_manifest_set *set, struct hf_bundle **ret_bundle,
                struct hf_manifest_outcome *outcome)
{
    struct hf_err err = HF_ERR_INIT;
    int r = secret_bundle(entry, set, ret_bundle, &err);

    return r < 0 ? hf_manifest_outcome_fail(outcome, HF_MANIFEST_REASON_SECRET_ABSENT, r, &err) : 0;
}

/* The same version may be the content by which to verify what is in place. */
static bool take(struct entry *entry)
{
    bool verify;

    if (secret_fetch_take(entry, &verify))
        return true;
    if (!verify)
        return false;
    entry->secret.lost = false;
    return drift_verify(entry);
}

/* The content is in the sealed copy, or only the API server has it. */
static void drifted(struct entry *entry, struct hf_diff *diff)
{
    if (vault_open(entry, &entry->r.good))
        return;
    drift_spend(&entry->drift, hf_steer_core_now_ns(&entry->engine->core));
    secret_fetch_drifted(entry, diff);
}

/* What was proven of another source says nothing about this one. */
static void renew(struct entry *entry, bool other_source)
{
    if (other_source)
        entry->secret.revoked = entry->secret.vault.forget = false;
    entry->secret.revoked = entry->secret.revoked && entry->wanted != NULL && entry->wanted->prune;
}

static void check(struct entry *entry)
{
    if (vault_retries(entry))
        secret_fetch_ask(entry);
}

/* A sealed copy must go, or a content waits to be sealed. */
static bool wants_cleanup(const struct entry *entry)
{
    return vault_must_go(entry) ||
           (!entry->secret.vault.verify && secret_has(entry, &entry->r.good) && vault_wants(entry));
}

static bool settle(struct entry *entry, void (*then)(struct entry *entry))
{
    if (vault_seal(entry, then))
        return true;
    if (entry->r.phase != HF_MANIFEST_WAITING && entry->r.phase != HF_MANIFEST_FETCHING && !entry->secret.vault.verify)
        secret_wipe(entry);
    return false;
}

static void swept(struct entry *entry, const char *copy)
{
    if (strcmp(entry->secret.vault.digest, copy) != 0)
        entry->secret.vault.digest[0] = '\0';
}

/* The content has come out of the sealed copy. */
static bool verifies(struct entry *entry)
{
    if (!entry->secret.vault.verify || !hf_manifest_machine_rests(entry->r.phase) ||
        entry->r.phase == HF_MANIFEST_WAITING || entry->r.unproven || !secret_has(entry, &entry->r.good))
        return false;
    entry->secret.lost = false;
    return true;
}

static void repaired(struct entry *entry)
{
    entry->secret.vault.verify = false;
    if (!vault_wants(entry))
        secret_wipe(entry);
}

static void done(struct entry *entry)
{
    secret_wipe(entry);
    vault_wipe(entry);
}

const struct content_store content_memory_store = {
    .in_memory = true,
    .allows = hf_config_allows_manifest_secret_file,
    .leaks = secret_may_be_swapped,
    .has = secret_has,
    .load = load,
    .take = take,
    .waits = secret_fetch_waits,
    .again = secret_fetch_again,
    .stalls = secret_fetch_stalls,
    .returns = secret_fetch_returns,
    .drifted = drifted,
    .keep = secret_keep,
    .begin = vault_load,
    .renew = renew,
    .check = check,
    .wants_cleanup = wants_cleanup,
    .settle = settle,
    .copy = vault_keeps,
    .swept = swept,
    .verifies = verifies,
    .repaired = repaired,
    .done = done,
};
