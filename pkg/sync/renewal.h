/* SPDX-License-Identifier: Apache-2.0 */
/* sync/renewal.h - the state machine with which an agent gets and renews its client certificate through a
 * CertificateSigningRequest. Pure.
 *
 *              Due, Lost       Done            Done           Done           Done
 *     Current -----------> Key -----> Request -----> Issue -----> Store ------------.
 *        ^                  ^            ^             |  \          |              |
 *        |                  | Due        `-- Absent ---'   \ Denied  | Bad          |
 *        |                Pause <--------------------------'<--------'              |
 *        '--------------------------------------------------------------------------'
 *   Current  the node has a certificate, and it is too early to renew it
 *   Key      a new private key must be on the disk before its public key leaves the node
 *   Request  the request is named after its key, so that a second try after a power cut finds the first request
 *   Issue    somebody has to approve the request, and the signer has to sign it
 *   Store    certificate and key go to the disk as one file
 *   Pause    the request was refused or denied, or the certificate is bad: wait for a long time, then start again
 * In every state, the agent uses the certificate that it has. If it has none, or if the certificate has expired or the
 * server refuses it, the agent uses the credential of its configuration. */
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
    HF_RENEWAL_DUE,     /* the delay of the last move has passed */
    HF_RENEWAL_LOST,    /* the server refuses the certificate, or it has expired */
    HF_RENEWAL_DONE,    /* the action succeeded; in Issue: the certificate is there */
    HF_RENEWAL_PENDING, /* nobody has decided on the request, or the signer has not signed it yet */
    HF_RENEWAL_ABSENT,  /* the server does not have the request, or no longer has it */
    HF_RENEWAL_DENIED,  /* somebody denied the request, or the signer failed */
    HF_RENEWAL_REFUSED, /* the server does not let this node make or read the request */
    HF_RENEWAL_BAD,     /* the certificate is not for our key, or has expired */
    HF_RENEWAL_FAILED,  /* the action failed, and a later try may succeed */
    HF_RENEWAL_EVENTS,
};

enum hf_renewal_action {
    HF_RENEWAL_DO_NOTHING,
    HF_RENEWAL_MAKE_KEY, /* use the key that waits on the disk, or make one and store it */
    HF_RENEWAL_CREATE,   /* create the CertificateSigningRequest */
    HF_RENEWAL_READ,     /* read the CertificateSigningRequest */
    HF_RENEWAL_SAVE,     /* check and store the certificate, then forget the waiting key */
    HF_RENEWAL_DROP_KEY, /* forget the waiting key */
    HF_RENEWAL_USE,      /* use the new certificate */
    HF_RENEWAL_ACTIONS,
};

#define HF_RENEWAL_MAX_NS (30ull * 24 * 3600 * 1000000000) /* a longer lifetime counts as this one */

/* The time until the event Due. */
enum hf_renewal_delay {
    HF_RENEWAL_NEVER,   /* the event Due does not come; another event ends the state */
    HF_RENEWAL_POLL,    /* until the next read of a request that is pending: 2 s, growing to 5 min */
    HF_RENEWAL_SHORT,   /* until the next try after a failure: 2 s, growing to 5 min */
    HF_RENEWAL_LONG,    /* in the state Pause: 10 min, growing to 6 h */
    HF_RENEWAL_AT_DATE, /* until the date that hf_renewal_date() returns */
};

/* Why the node has no new certificate, for the condition ClientCertificateValid. */
enum hf_renewal_trouble {
    HF_RENEWAL_NO_TROUBLE,
    HF_RENEWAL_WAS_DENIED,  /* somebody denied the last request, or the signer failed */
    HF_RENEWAL_NOT_ALLOWED, /* the server does not let this node make or read a request */
    HF_RENEWAL_UNUSABLE,    /* the certificate that the cluster issued, or the one in the folder, is of no use */
    HF_RENEWAL_NOT_STORED,  /* the folder is not safe, or the disk fails */
    HF_RENEWAL_NOT_ISSUED,  /* for a long time nobody has answered the request */
    HF_RENEWAL_EXPIRED,     /* the certificate has expired, and none of the reasons above applies */
    HF_RENEWAL_TROUBLES,
};

struct hf_renewal_move {
    bool known; /* false if the table has no move for this event in this state; the event then changes nothing */
    enum hf_renewal_state next;
    enum hf_renewal_action action;
    enum hf_renewal_delay delay;
};

struct hf_renewal_move hf_renewal_move(enum hf_renewal_state state, enum hf_renewal_event event);

/* hf_renewal_trouble_reason() returns the reason of the condition, such as "Denied". hf_renewal_trouble_advice()
 * returns a sentence about what to do. Both return "" for HF_RENEWAL_NO_TROUBLE. */
const char *hf_renewal_trouble_reason(enum hf_renewal_trouble trouble);
const char *hf_renewal_trouble_advice(enum hf_renewal_trouble trouble);

/* Returns the Unix time at which to renew a certificate. The span from received_unix_ns to not_after_unix_ns counts.
 * The result is at two thirds of the span, earlier or later by up to a tenth of the span. `jitter` (0 to UINT32_MAX)
 * chooses the exact time; derive it from the key, so that a restart chooses the same time. If received_unix_ns is not
 * between not_before_unix_ns and not_after_unix_ns (a copied file, a wrong clock), the span begins at
 * not_before_unix_ns. A span counts as at most HF_RENEWAL_MAX_NS, so that no signer can make the agent keep a key for
 * years. */
uint64_t hf_renewal_date(uint64_t not_before_unix_ns, uint64_t not_after_unix_ns, uint64_t received_unix_ns,
                         uint32_t jitter);

/* Appends the whole table as text, for tests/golden/renewal.txt. */
HF_MUST_USE int hf_renewal_print(struct hf_buf *out);
