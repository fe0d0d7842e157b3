/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/sink/pending.h"

#include <errno.h>
#include <stdlib.h>

#include "base/list.h"

enum { CHUNK = 64, KEEP_FREE = 4 * CHUNK };

struct pending_follower {
    struct pending_follower *next;
    struct hf_receipt *receipt;
    uint64_t fingerprint;
};

struct pending_share {
    struct hf_receipt receipt; /* must be first: settled functions cast it back */
    struct hf_pending *pending;
    struct pending_entry *whole;
    struct hf_list link; /* in `shares` of the table until it settles, then in `free_shares` */
    unsigned which;
};

struct pending_entry {
    struct hf_receipt receipt; /* must be first: settled functions cast it back */
    struct hf_pending *pending;
    struct hf_receipt *outer;
    struct pending_entry *next, *previous; /* in order of hf_pending_begin(); `next` links the free list too */
    struct pending_follower *followers;    /* settle after this entry and all before it */
    uint64_t fingerprint;
    uint32_t kept; /* bit set of the shares that settled with 0 */
    bool settled;
};

struct hf_pending {
    struct hf_pending_params params;
    struct pending_entry *first, *last, *free;
    struct hf_list shares, free_shares;
    size_t n, n_free, n_free_shares;
};

struct hf_pending *hf_pending_new(const struct hf_pending_params *params)
{
    struct hf_pending *pending = calloc(1, sizeof(*pending));

    if (pending == NULL)
        return NULL;
    pending->params = *params;
    hf_list_init(&pending->shares);
    hf_list_init(&pending->free_shares);
    return pending;
}

static void free_followers(struct pending_entry *entry)
{
    while (entry->followers != NULL) {
        struct pending_follower *follower = entry->followers;
        entry->followers = follower->next;
        free(follower);
    }
}

static void free_list(struct pending_entry *entry)
{
    while (entry != NULL) {
        struct pending_entry *next = entry->next;
        free_followers(entry);
        free(entry);
        entry = next;
    }
}

static void free_shares(struct hf_list *shares)
{
    struct hf_list *it, *following;

    hf_list_each(it, following, shares)
        free(hf_container_of(it, struct pending_share, link));
}

void hf_pending_free(struct hf_pending *pending)
{
    if (pending == NULL)
        return;
    free_list(pending->first);
    free_list(pending->free);
    free_shares(&pending->shares);
    free_shares(&pending->free_shares);
    free(pending);
}

static void unlink_entry(struct hf_pending *pending, struct pending_entry *entry)
{
    *(entry->previous != NULL ? &entry->previous->next : &pending->first) = entry->next;
    *(entry->next != NULL ? &entry->next->previous : &pending->last) = entry->previous;
    pending->n--;
    if (pending->n_free >= KEEP_FREE) {
        free(entry);
        return;
    }
    entry->next = pending->free;
    pending->free = entry;
    pending->n_free++;
}

/* Settles followers in the order in which they came; the list has the latest first. */
static void settle_followers(struct hf_pending *pending, struct pending_follower *list)
{
    struct pending_follower *in_order = NULL;

    while (list != NULL) {
        struct pending_follower *next = list->next;
        list->next = in_order;
        in_order = list;
        list = next;
    }
    while (in_order != NULL) {
        struct pending_follower *follower = in_order;
        in_order = follower->next;
        hf_receipt_release(follower->receipt,
                           pending->params.known(pending->params.arg, follower->fingerprint) ? 0 : -EIO);
        free(follower);
    }
}

static void settled(struct hf_receipt *receipt)
{
    struct pending_entry *entry = (struct pending_entry *)(void *)receipt;
    struct hf_pending *pending = entry->pending;

    entry->settled = true;
    if (receipt->r < 0)
        pending->params.lost(pending->params.arg, entry->fingerprint, entry->kept);
    struct hf_receipt *outer = entry->outer;
    int r = receipt->r;
    entry->outer = NULL;
    while (pending->first != NULL && pending->first->settled) {
        struct pending_entry *head = pending->first;
        struct pending_follower *followers = head->followers;
        head->followers = NULL;
        unlink_entry(pending, head);
        settle_followers(pending, followers);
    }
    hf_receipt_release(outer, r);
    if (pending->n == 0)
        pending->params.idle(pending->params.arg);
}

static struct pending_entry *take_free(struct hf_pending *pending)
{
    struct pending_entry *entry = pending->free;

    if (entry == NULL)
        return malloc(sizeof(*entry));
    pending->free = entry->next;
    pending->n_free--;
    return entry;
}

struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *outer)
{
    struct pending_entry *entry = pending->n < HF_PENDING_MAX ? take_free(pending) : NULL;

    if (entry == NULL)
        return NULL;
    *entry = (struct pending_entry){.receipt = {.settled = settled},
                                    .pending = pending,
                                    .outer = outer,
                                    .previous = pending->last,
                                    .fingerprint = fingerprint};
    *(pending->last != NULL ? &pending->last->next : &pending->first) = entry;
    pending->last = entry;
    pending->n++;
    hf_receipt_hold(outer);
    hf_receipt_hold(&entry->receipt);
    return &entry->receipt;
}

static void share_settled(struct hf_receipt *receipt)
{
    struct pending_share *share = (struct pending_share *)(void *)receipt;
    struct hf_pending *pending = share->pending;
    struct pending_entry *whole = share->whole;
    int r = receipt->r;

    if (r == 0)
        whole->kept |= 1u << share->which;
    hf_list_remove(&share->link);
    if (pending->n_free_shares < KEEP_FREE) {
        hf_list_append(&pending->free_shares, &share->link);
        pending->n_free_shares++;
    } else {
        free(share);
    }
    hf_receipt_release(&whole->receipt, r);
}

struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which)
{
    struct pending_share *share;

    if (!hf_list_empty(&pending->free_shares)) {
        share = hf_container_of(pending->free_shares.next, struct pending_share, link);
        hf_list_remove(&share->link);
        pending->n_free_shares--;
    } else if ((share = malloc(sizeof(*share))) == NULL) {
        return NULL;
    }
    *share = (struct pending_share){.receipt = {.settled = share_settled},
                                    .pending = pending,
                                    .whole = (struct pending_entry *)(void *)whole,
                                    .which = which};
    hf_list_append(&pending->shares, &share->link);
    hf_receipt_hold(whole);
    hf_receipt_hold(&share->receipt);
    return &share->receipt;
}

int hf_pending_follow(struct hf_pending *pending, uint64_t fingerprint, struct hf_receipt *receipt)
{
    struct pending_follower *follower;

    if (receipt == NULL || pending->last == NULL)
        return 0;
    follower = malloc(sizeof(*follower));
    if (follower == NULL)
        return -ENOMEM;
    *follower =
        (struct pending_follower){.next = pending->last->followers, .receipt = receipt, .fingerprint = fingerprint};
    pending->last->followers = follower;
    hf_receipt_hold(receipt);
    return 0;
}

size_t hf_pending_count(const struct hf_pending *pending)
{
    return pending->n;
}
