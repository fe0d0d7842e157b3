/* SPDX-License-Identifier: Apache-2.0 */
/* How an agent gets and renews its client certificate, by CertificateSigningRequests; states: renewal.c.
 *
 * The agent uses its certificate or, if it has none or the certificate is expired or refused, the credential of its
 * configuration. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

enum hf_renewal_state {
    HF_RENEWAL_CURRENT,
    HF_RENEWAL_KEY,
    HF_RENEWAL_REQUEST,
    HF_RENEWAL_ISSUE,
    HF_RENEWAL_STORE,
    HF_RENEWAL_PAUSE,
    HF_RENEWAL_STATES,
};

enum hf_renewal_event {
    HF_RENEWAL_DUE,     /* the delay is over */
    HF_RENEWAL_LOST,    /* the certificate was refused or has expired */
    HF_RENEWAL_DONE,    /* success; in Issue: the certificate is there */
    HF_RENEWAL_PENDING, /* the request is neither approved nor signed */
    HF_RENEWAL_ABSENT,  /* the request is gone */
    HF_RENEWAL_DENIED,  /* the request is denied, or its signer failed */
    HF_RENEWAL_REFUSED, /* every credential was refused (sync/way.h) */
    HF_RENEWAL_ANOTHER, /* this credential was refused or denied; try the next */
    HF_RENEWAL_BAD,     /* the certificate is for another key, or expired */
    HF_RENEWAL_FAILED,
    HF_RENEWAL_EVENTS,
};

enum hf_renewal_action {
    HF_RENEWAL_DO_NOTHING,
    HF_RENEWAL_MAKE_KEY, /* or take the key on disk */
    HF_RENEWAL_CREATE,
    HF_RENEWAL_READ,
    HF_RENEWAL_SAVE, /* save the checked certificate, forget the key */
    HF_RENEWAL_DROP_KEY,
    HF_RENEWAL_USE,
    HF_RENEWAL_ACTIONS,
};

#define HF_RENEWAL_MAX_NS (30ull * 24 * 3600 * 1000000000)

/* How long until HF_RENEWAL_DUE. */
enum hf_renewal_delay {
    HF_RENEWAL_NEVER,   /* another event ends the state */
    HF_RENEWAL_POLL,    /* the request is pending: 2 s, growing to 5 min, less for a short certificate */
    HF_RENEWAL_SHORT,   /* to try again: as POLL */
    HF_RENEWAL_LONG,    /* in Pause: 10 min, growing to 6 h */
    HF_RENEWAL_AT_DATE, /* hf_renewal_date() */
};

/* Reasons of ClientCertificateValid. */
enum hf_renewal_trouble {
    HF_RENEWAL_NO_TROUBLE,
    HF_RENEWAL_WAS_DENIED,
    HF_RENEWAL_NOT_ALLOWED,
    HF_RENEWAL_UNUSABLE,
    HF_RENEWAL_NOT_STORED,
    HF_RENEWAL_NOT_ISSUED,
    HF_RENEWAL_EXPIRED,
    HF_RENEWAL_TROUBLES,
};

struct hf_renewal_move {
    bool known; /* false: nothing changes */
    enum hf_renewal_state next;
    enum hf_renewal_action action;
    enum hf_renewal_delay delay;
};

struct hf_renewal_move hf_renewal_move(enum hf_renewal_state state, enum hf_renewal_event event);

/* Return a word such as "Denied", and a sentence with advice; "" without trouble. */
const char *hf_renewal_trouble_reason(enum hf_renewal_trouble trouble);
const char *hf_renewal_trouble_advice(enum hf_renewal_trouble trouble);

/* Returns when to renew: after two thirds of the span from received_unix_ns to the end, up to a tenth earlier or later
 * by `jitter` (0 to UINT32_MAX; from the key, so restarts agree). The span starts at not_before_unix_ns if
 * received_unix_ns is outside, and is cut to HF_RENEWAL_MAX_NS. */
uint64_t hf_renewal_date(uint64_t not_before_unix_ns, uint64_t not_after_unix_ns, uint64_t received_unix_ns,
                         uint32_t jitter);
