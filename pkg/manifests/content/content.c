/* SPDX-License-Identifier: Apache-2.0 */
/* The content of an entry, without the entry. */
#include "manifests/content/content.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* What the states promise of the fields, between two functions of this header. */
static void check(const struct content *content)
{
    assert(hf_content_machine_has_source(content->intake) == (content->source != NULL));
    assert(hf_content_machine_has_hold(content->intake) == (content->hold.reason != HF_MANIFEST_REASON_NONE));
    assert(hf_content_machine_has_waiting(content->slot) == (content->incoming != NULL));
    assert(content->storing_bytes == 0 || content->slot == HF_CONTENT_STORING || content->slot == HF_CONTENT_NEWER);
    (void)content;
}

void content_move(struct content *content, enum hf_content_event event)
{
    bool known;

    if (event < HF_CONTENT_EV_DELIVERED)
        content->intake = hf_content_machine_intake(content->intake, event, &known);
    else
        content->slot = hf_content_machine_slot(content->slot, event, &known);
    assert(known);
    check(content);
}

void content_put(struct content *content, struct hf_bundle *bundle, const char *revision)
{
    assert(bundle->n > 0); /* an empty source is a failure */
    hf_bundle_free(content->incoming);
    content->incoming = bundle;
    (void)snprintf(content->incoming_revision, sizeof(content->incoming_revision), "%s", revision);
    memcpy(content->incoming_from, content->wanted_from, sizeof(content->incoming_from));
    content_move(content, HF_CONTENT_EV_DELIVERED);
}

struct hf_bundle *content_take(struct content *content)
{
    struct hf_bundle *bundle = hf_steal(content->incoming);

    if (bundle != NULL)
        content_move(content, HF_CONTENT_EV_TAKEN);
    return bundle;
}

bool content_note(struct content *content, enum hf_manifest_reason reason, const char *message)
{
    struct entry_note *now = &content->note;

    if (now->reason == reason && (message == NULL || strcmp(now->message, message) == 0))
        return false;
    now->reason = reason;
    (void)snprintf(now->message, sizeof(now->message), "%s", message != NULL ? message : "");
    return true;
}

bool content_mismatches(struct content *content, const struct hf_bundle *bundle, const char *pinned)
{
    struct entry_note *mismatch = &content->mismatch;

    *mismatch = (struct entry_note){.reason = HF_MANIFEST_REASON_NONE};
    if (pinned == NULL || strcmp(pinned, bundle->digest) == 0)
        return false;
    mismatch->reason = HF_MANIFEST_REASON_DIGEST_MISMATCH;
    if (bundle->secret) /* its digest tells something of it */
        (void)snprintf(mismatch->message, sizeof(mismatch->message),
                       "the content of the Secret does not have the contentDigest");
    else
        (void)snprintf(mismatch->message, sizeof(mismatch->message),
                       "the content has the digest sha256:%.64s, but contentDigest is sha256:%.64s", bundle->digest,
                       pinned);
    return true;
}

void content_renew(struct content *content, const char from[HF_SHA256_HEX])
{
    assert(content->source == NULL);
    memcpy(content->wanted_from, from, sizeof(content->wanted_from));
    content->pace = (struct hf_content_pace){.gap_ns = 0}; /* a person has changed the entry */
    content->hold.reason = HF_MANIFEST_REASON_NONE;
    content->hold.times = 0;
    content->note = (struct entry_note){.reason = HF_MANIFEST_REASON_NONE};
    content_move(content, HF_CONTENT_EV_LIFTED);
}

uint64_t content_bytes(const struct content *content)
{
    return (content->incoming != NULL ? content->incoming->bytes : 0) + content->storing_bytes;
}
