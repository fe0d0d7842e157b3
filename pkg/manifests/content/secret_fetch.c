/* SPDX-License-Identifier: Apache-2.0 */
/* Gets the content of a Secret from the API server again, when an entry needs it and it is no longer in memory. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "manifests/content/content.h"
#include "manifests/content/secret.h"
#include "manifests/content/secret_fetch.h"
#include "manifests/content/vault.h"
#include "manifests/entry.h"

#include "base/encoding/cut.h"

void secret_fetch_ask(struct entry *entry)
{
    if (entry->secret.asked || entry->wanted == NULL)
        return;
    entry->secret.asked = true;
    content_stop(entry);
    content_follow(entry);
}

static bool is_unread(const struct hf_inventory *inventory)
{
    for (size_t i = 0; i < inventory->n; i++)
        if (inventory->items[i].unread)
            return true;
    return false;
}

bool secret_fetch_take(struct entry *entry, bool *ret_verify)
{
    struct hf_manifest_record *r = &entry->r;
    bool resting = r->phase != HF_MANIFEST_WAITING && r->phase != HF_MANIFEST_FETCHING;

    *ret_verify = false;
    if (!content_waits(&entry->content) || !entry->content.incoming->secret)
        return false;
    secret_put(entry, content_take(&entry->content));
    if (strcmp(entry->secret.bundle->digest, r->known_digest) != 0 ||
        strcmp(entry->content.incoming_from, r->known_from) != 0) {
        memcpy(r->known_from, entry->content.incoming_from, sizeof(r->known_from));
        (void)snprintf(r->known_digest, sizeof(r->known_digest), "%s", entry->secret.bundle->digest);
        (void)snprintf(r->known_revision, sizeof(r->known_revision), "%s", entry->content.incoming_revision);
        entry->recheck = true;
        advance_save(entry);
        return true;
    }
    /* While a failed repair has its pause, the content is for whoever else has asked; the next look asks once more. */
    bool paced = entry->drift.due_ns > hf_steer_core_now_ns(&entry->engine->core);
    *ret_verify =
        resting && !paced && secret_has(entry, &r->good) && (entry->secret.lost || is_unread(&entry->inventory));
    if (resting && !*ret_verify && !entry->secret.again && !vault_wants(entry))
        secret_wipe(entry);
    return false;
}

bool secret_fetch_again(struct entry *entry)
{
    if (secret_has(entry, &entry->r.next))
        return false;
    secret_fetch_ask(entry);
    return true;
}

/* Returns true if the content that the newest set began with comes no more: the wanted entry names another source. */
static bool names_another(const struct entry *entry)
{
    char from[HF_SHA256_HEX];

    return entry->wanted != NULL &&
           (hf_manifest_source_key(entry->r.next.entry, from) < 0 || strcmp(from, entry->content.wanted_from) != 0);
}

/* Returns true if the API server has said that the Secret of the wanted entry does not exist. */
static bool is_deleted(const struct entry *entry)
{
    return entry->content.note.reason == HF_MANIFEST_REASON_SOURCE_GONE;
}

bool secret_fetch_waits(struct entry *entry)
{
    char text[HF_RECORD_MESSAGE], copy[VAULT_EXPLANATION];

    if (!secret_is(entry->r.next.entry) || secret_has(entry, &entry->r.next))
        return false;
    if (vault_open(entry, &entry->r.next))
        return true;
    vault_explain(entry, &entry->r.next, copy);
    (void)snprintf(text, sizeof(text), "the content of Secret %.63s/%.100s is not on this node%s%s",
                   hf_json_str_or(entry->r.next.entry, "from.secret.namespace", ""),
                   hf_json_str_or(entry->r.next.entry, "from.secret.name", ""),
                   is_deleted(entry) && !names_another(entry) ? ", and the Secret does not exist"
                                                              : " until the API server answers",
                   copy);
    advance_note(entry, HF_MANIFEST_REASON_SECRET_ABSENT, text);
    secret_fetch_ask(entry);
    return true;
}

/* The swap began with a version that has passed `validate`. Another one has to pass before it goes in place. */
static bool must_validate(const struct entry *entry)
{
    return strcmp(entry->r.next.digest, entry->content.incoming->digest) != 0 &&
           hf_json_at(entry->r.next.entry, "validate") != NULL;
}

/* A crash has cut a rollback, and the version to go back to is in no memory any more. Only the newest version makes the
 * files one version again; a still newer one comes after the rollback. Returns true if the entry must wait for it. */
static bool rollback_stalls(struct entry *entry)
{
    const struct hf_manifest_record *r = &entry->r;
    bool copy = entry->secret.vault.digest[0] != '\0' && strcmp(entry->secret.vault.digest, r->good.digest) == 0 &&
                strcmp(entry->secret.vault.useless, r->good.digest) != 0;

    if (!secret_is(r->next.entry) || !secret_is(r->good.entry) || !entry->inventory.pending ||
        entry->secret.kept.bundle != NULL || copy || secret_has(entry, &r->next))
        return false;
    if (!content_waits(&entry->content)) {
        bool may_come = entry->wanted != NULL || !entry->engine->set_once;
        return may_come && !is_deleted(entry) && secret_fetch_waits(entry);
    }
    if (strcmp(entry->content.incoming->digest, r->next.digest) != 0)
        return false;
    secret_put(entry, content_take(&entry->content));
    return false;
}

/* Ends an attempt whose content is nowhere. Files of its set may be in place, so no repair takes them for drift of the
 * good set. */
static bool gives_up(struct entry *entry, const char *why)
{
    entry->r.unproven = true;
    advance_event(entry, HF_MANIFEST_EV_POSTPONED, HF_MANIFEST_REASON_SECRET_ABSENT, why);
    return true;
}

bool secret_fetch_stalls(struct entry *entry)
{
    struct hf_manifest_set *next = &entry->r.next;

    if (entry->r.phase == HF_MANIFEST_ROLLING_BACK)
        return rollback_stalls(entry);
    if (entry->r.phase != HF_MANIFEST_APPLYING || !secret_is(next->entry) || secret_has(entry, next))
        return false;
    if (!content_waits(&entry->content) && entry->wanted == NULL && entry->engine->set_once)
        return gives_up(entry, "no policy has this entry any more, and its content is not on the node");
    if (names_another(entry))
        return gives_up(entry, "the entry names another source now, and the content that it began with is not on the "
                               "node");
    if (!content_waits(&entry->content) && is_deleted(entry))
        return gives_up(entry, "the Secret was deleted, and the content that the entry began with is not on the node");
    if (!content_waits(&entry->content))
        return secret_fetch_waits(entry);
    if (must_validate(entry)) /* while the entry waits, it takes up the content that has come */
        return gives_up(entry, "the content that the entry began with is not on the node; a newer one has come");
    /* The content that the swap began with is nowhere any more, if the Secret has changed since. */
    secret_put(entry, content_take(&entry->content));
    memcpy(next->digest, entry->secret.bundle->digest, sizeof(next->digest));
    (void)snprintf(next->revision, sizeof(next->revision), "%s", entry->content.incoming_revision);
    (void)snprintf(entry->r.known_digest, sizeof(entry->r.known_digest), "%s", next->digest);
    (void)snprintf(entry->r.known_revision, sizeof(entry->r.known_revision), "%s", next->revision);
    memcpy(entry->r.known_from, entry->content.wanted_from, sizeof(entry->r.known_from));
    return hf_manifest_set_key(next, NULL) < 0;
}

/* While the copy of the good set is being opened, or the TPM has not opened it but may do so later. After
 * MANIFEST_MAX_UNREADABLE of these pauses the copy counts as lost, because the rollback keeps new content out. */
bool secret_fetch_returns(struct entry *entry)
{
    const struct hf_manifest_set *good = &entry->r.good;
    char text[HF_RECORD_MESSAGE], why[VAULT_EXPLANATION];
    uint64_t due_ns;

    if (good->key[0] == '\0' || entry->secret.kept.bundle != NULL || secret_has(entry, good))
        return false;
    if (vault_open(entry, good))
        return true;
    if (!vault_may_open_later(entry, good, &due_ns))
        return false;
    if (entry->failures.unreadable_rollbacks >= MANIFEST_MAX_UNREADABLE) {
        vault_give_up(entry, good);
        return false;
    }
    entry->failures.unreadable_rollbacks++;
    entry->due_ns = due_ns;
    vault_explain(entry, good, why);
    (void)snprintf(text, sizeof(text), "the content to go back to waits for the TPM%s", why);
    advance_note(entry, HF_MANIFEST_REASON_SECRET_ABSENT, text);
    return true;
}

void secret_fetch_drifted(struct entry *entry, struct hf_diff *diff)
{
    char text[HF_RECORD_MESSAGE], copy[VAULT_EXPLANATION];

    vault_explain(entry, &entry->r.good, copy);
    (void)snprintf(text, sizeof(text), "%s; the content comes again when %s%s", HF_CUT(130, hf_diff_text(diff)),
                   is_deleted(entry) ? "the Secret exists again" : "the API server answers", copy);
    if (!entry->secret.lost) { /* the first look of many */
        hf_log(entry->engine->p.env.world.log, HF_LOG_WARNING, "manifest.secret_absent", HF_S("entry", entry->name),
               HF_S("message", text));
        entry->due_ns = 0;
    }
    entry->secret.lost = true;
    secret_fetch_ask(entry);
    assert(entry->secret.bundle == NULL || !secret_has(entry, &entry->r.good));
    if (entry->r.phase == HF_MANIFEST_APPLIED)
        advance_event(entry, HF_MANIFEST_EV_NEWS, HF_MANIFEST_REASON_SECRET_ABSENT, text);
    else
        advance_note(entry, HF_MANIFEST_REASON_SECRET_ABSENT, text);
}
