#include "telemetry/sink/pending.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64, KEEP_FREE = 4 * CHUNK };

struct follower {
    struct follower *next;
    struct hf_receipt *receipt;
    uint64_t mark;
};

struct share {
    struct hf_receipt receipt; /* first: a receipt is its share */
    struct hf_pending *pending;
    struct entry *whole;
    struct share *next; /* in the free list */
    unsigned which;
};

struct entry {
    struct hf_receipt receipt; /* first: a receipt is its entry */
    struct hf_pending *pending;
    struct hf_receipt *outer;
    struct entry *next, *previous; /* in order of beginning; `next` also in the free list */
    struct follower *followers;    /* settle when this entry and all before it have */
    uint64_t mark;
    uint32_t kept; /* shares that settled well */
    bool settled;
};

struct hf_pending {
    struct hf_pending_params params;
    struct entry *first, *last, *free;
    struct share *free_shares;
    size_t n, n_free, n_free_shares;
};

struct hf_pending *hf_pending_new(const struct hf_pending_params *params)
{
    struct hf_pending *pending = calloc(1, sizeof(*pending));

    if (pending != NULL)
        pending->params = *params;
    return pending;
}

static void free_followers(struct entry *entry)
{
    while (entry->followers != NULL) {
        struct follower *follower = entry->followers;
        entry->followers = follower->next;
        free(follower);
    }
}

static void free_list(struct entry *entry)
{
    while (entry != NULL) {
        struct entry *next = entry->next;
        free_followers(entry);
        free(entry);
        entry = next;
    }
}

void hf_pending_free(struct hf_pending *pending)
{
    if (pending == NULL)
        return;
    free_list(pending->first);
    free_list(pending->free);
    while (pending->free_shares != NULL) {
        struct share *share = pending->free_shares;
        pending->free_shares = share->next;
        free(share);
    }
    free(pending);
}

static void unlink_entry(struct hf_pending *pending, struct entry *entry)
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

/* In their order of coming: the list is the other way round. */
static void settle_followers(struct hf_pending *pending, struct follower *list)
{
    struct follower *in_order = NULL;

    while (list != NULL) {
        struct follower *next = list->next;
        list->next = in_order;
        in_order = list;
        list = next;
    }
    while (in_order != NULL) {
        struct follower *follower = in_order;
        in_order = follower->next;
        hf_receipt_release(follower->receipt, pending->params.known(pending->params.arg, follower->mark) ? 0 : -EIO);
        free(follower);
    }
}

static void settled(struct hf_receipt *receipt)
{
    struct entry *entry = (struct entry *)(void *)receipt;
    struct hf_pending *pending = entry->pending;

    entry->settled = true;
    if (receipt->r < 0)
        pending->params.lost(pending->params.arg, entry->mark, entry->kept);
    struct hf_receipt *outer = entry->outer;
    int r = receipt->r;
    entry->outer = NULL;
    while (pending->first != NULL && pending->first->settled) {
        struct entry *head = pending->first;
        struct follower *followers = head->followers;
        head->followers = NULL;
        unlink_entry(pending, head);
        settle_followers(pending, followers);
    }
    hf_receipt_release(outer, r);
    if (pending->n == 0)
        pending->params.idle(pending->params.arg);
}

static struct entry *take_free(struct hf_pending *pending)
{
    struct entry *entry = pending->free;

    if (entry == NULL)
        return malloc(sizeof(*entry));
    pending->free = entry->next;
    pending->n_free--;
    return entry;
}

struct hf_receipt *hf_pending_begin(struct hf_pending *pending, uint64_t mark, struct hf_receipt *outer)
{
    struct entry *entry = pending->n < HF_PENDING_MAX ? take_free(pending) : NULL;

    if (entry == NULL)
        return NULL;
    *entry = (struct entry){
        .receipt = {.settled = settled}, .pending = pending, .outer = outer, .previous = pending->last, .mark = mark};
    *(pending->last != NULL ? &pending->last->next : &pending->first) = entry;
    pending->last = entry;
    pending->n++;
    hf_receipt_hold(outer);
    hf_receipt_hold(&entry->receipt);
    return &entry->receipt;
}

static void share_settled(struct hf_receipt *receipt)
{
    struct share *share = (struct share *)(void *)receipt;
    struct hf_pending *pending = share->pending;
    struct entry *whole = share->whole;
    int r = receipt->r;

    if (r == 0)
        whole->kept |= 1u << share->which;
    if (pending->n_free_shares < KEEP_FREE) {
        share->next = pending->free_shares;
        pending->free_shares = share;
        pending->n_free_shares++;
    } else {
        free(share);
    }
    hf_receipt_release(&whole->receipt, r);
}

struct hf_receipt *hf_pending_share(struct hf_pending *pending, struct hf_receipt *whole, unsigned which)
{
    struct share *share = pending->free_shares;

    if (share != NULL) {
        pending->free_shares = share->next;
        pending->n_free_shares--;
    } else if ((share = malloc(sizeof(*share))) == NULL) {
        return NULL;
    }
    *share = (struct share){.receipt = {.settled = share_settled},
                            .pending = pending,
                            .whole = (struct entry *)(void *)whole,
                            .which = which};
    hf_receipt_hold(whole);
    hf_receipt_hold(&share->receipt);
    return &share->receipt;
}

int hf_pending_follow(struct hf_pending *pending, uint64_t mark, struct hf_receipt *receipt)
{
    struct follower *follower;

    if (receipt == NULL || pending->last == NULL)
        return 0;
    follower = malloc(sizeof(*follower));
    if (follower == NULL)
        return -ENOMEM;
    *follower = (struct follower){.next = pending->last->followers, .receipt = receipt, .mark = mark};
    pending->last->followers = follower;
    hf_receipt_hold(receipt);
    return 0;
}

size_t hf_pending_count(const struct hf_pending *pending)
{
    return pending->n;
}
