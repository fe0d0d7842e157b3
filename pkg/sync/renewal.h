/* SPDX-License-Identifier: Apache-2.0 */
/* The state machine by which an agent gets and renews its client certificate through a CertificateSigningRequest.
 * Pure.
 *
 *   Current  too early to renew
 *   Key      a private key must be on the disk before its public key leaves the node
 *   Request  named after its key: a retry after a power cut finds the first one
 *   Issue    waits for approval and signature
 *   Store    certificate and key go to the disk as one file
 *   Pause    refused, denied or bad: a long wait, then again
 *
 * The agent uses the certificate that it has, or else (none, expired, refused) the credential of its configuration. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
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
    HF_RENEWAL_DUE,     /* the delay has passed */
    HF_RENEWAL_LOST,    /* refused, or expired */
    HF_RENEWAL_DONE,    /* in Issue: the certificate is there */
    HF_RENEWAL_PENDING, /* not approved or signed */
    HF_RENEWAL_ABSENT,  /* gone */
    HF_RENEWAL_DENIED,  /* or the signer failed */
    HF_RENEWAL_REFUSED, /* this node may not, by no way (sync/way.h) */
    HF_RENEWAL_ANOTHER, /* refused or denied by this way; another one is left */
    HF_RENEWAL_BAD,     /* not for our key, or expired */
    HF_RENEWAL_FAILED,  /* retry */
    HF_RENEWAL_EVENTS,
};

enum hf_renewal_action {
    HF_RENEWAL_DO_NOTHING,
    HF_RENEWAL_MAKE_KEY, /* or use the one that waits on the disk */
    HF_RENEWAL_CREATE,   /* the request */
    HF_RENEWAL_READ,     /* the request */
    HF_RENEWAL_SAVE,     /* checked; forgets the key */
    HF_RENEWAL_DROP_KEY,
    HF_RENEWAL_USE, /* the certificate */
    HF_RENEWAL_ACTIONS,
};

#define HF_RENEWAL_MAX_NS (30ull * 24 * 3600 * 1000000000) /* a longer lifetime is cut */

/* Until the event Due. */
enum hf_renewal_delay {
    HF_RENEWAL_NEVER,   /* another event ends the state */
    HF_RENEWAL_POLL,    /* for a pending request: 2 s, growing to 5 min, or less for a short certificate */
    HF_RENEWAL_SHORT,   /* after a failure: the same */
    HF_RENEWAL_LONG,    /* in Pause: 10 min, growing to 6 h */
    HF_RENEWAL_AT_DATE, /* hf_renewal_date() */
};

/* Reasons of ClientCertificateValid. */
enum hf_renewal_trouble {
    HF_RENEWAL_NO_TROUBLE,
    HF_RENEWAL_WAS_DENIED,  /* or the signer failed */
    HF_RENEWAL_NOT_ALLOWED, /* the request */
    HF_RENEWAL_UNUSABLE,    /* issued, or in the folder */
    HF_RENEWAL_NOT_STORED,  /* unsafe folder, or bad disk */
    HF_RENEWAL_NOT_ISSUED,  /* no answer for long */
    HF_RENEWAL_EXPIRED,     /* none of the above */
    HF_RENEWAL_TROUBLES,
};

struct hf_renewal_move {
    bool known; /* false: nothing changes */
    enum hf_renewal_state next;
    enum hf_renewal_action action;
    enum hf_renewal_delay delay;
};

struct hf_renewal_move hf_renewal_move(enum hf_renewal_state state, enum hf_renewal_event event);

/* "Denied"; a sentence with advice; or "". */
const char *hf_renewal_trouble_reason(enum hf_renewal_trouble trouble);
const char *hf_renewal_trouble_advice(enum hf_renewal_trouble trouble);

/* When to renew: at two thirds of the span from received_unix_ns to the end, up to a tenth earlier or later by `jitter`
 * (0 to UINT32_MAX; from the key, so that a restart gives the same). The span begins at not_before_unix_ns if
 * received_unix_ns is outside (a copied file, a wrong clock), and is cut to HF_RENEWAL_MAX_NS, so that no signer makes
 * a key last for years. */
uint64_t hf_renewal_date(uint64_t not_before_unix_ns, uint64_t not_after_unix_ns, uint64_t received_unix_ns,
                         uint32_t jitter);

/* For tests/golden/renewal.txt. */
HF_MUST_USE int hf_renewal_print(struct hf_buf *out);
