/* sync/renewal.h - how an agent gets and renews its client certificate through a CertificateSigningRequest. Pure.
 *
 *              Due, Lost       Done            Done           Done           Done
 *     Current -----------> Key -----> Request -----> Issue -----> Store ------------.
 *        ^                  ^            ^             |  \          |              |
 *        |                  | Due        `-- Absent ---'   \ Denied  | Bad          |
 *        |                Pause <--------------------------'<--------'              |
 *        '--------------------------------------------------------------------------'
 *   Current  the node has a certificate, and it is too early to renew it
 *   Key      a new key has to be on the disk before anybody sees its public half
 *   Request  the request is named after its key, so that a second try after a power cut finds the first one
 *   Issue    somebody has to approve the request, and the signer has to sign it
 *   Store    certificate and key go to the disk as one file
 *   Pause    the request was refused or denied: wait for long, then start again
 * In every state the agent goes on with the certificate that it has, and without one with the credential of its
 * configuration. */
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
    HF_RENEWAL_ABSENT,  /* the server does not have the request (any more) */
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
    HF_RENEWAL_READ,     /* read it */
    HF_RENEWAL_SAVE,     /* check and store the certificate, then forget the waiting key */
    HF_RENEWAL_DROP_KEY, /* forget the waiting key */
    HF_RENEWAL_USE,      /* use the new certificate */
    HF_RENEWAL_ACTIONS,
};

/* When the event Due comes. */
enum hf_renewal_delay {
    HF_RENEWAL_NEVER,   /* another event ends the state */
    HF_RENEWAL_POLL,    /* 2 s, growing to 5 min */
    HF_RENEWAL_SHORT,   /* 2 s, growing to 5 min */
    HF_RENEWAL_LONG,    /* 10 min, growing to 6 h */
    HF_RENEWAL_AT_DATE, /* hf_renewal_date() */
};

struct hf_renewal_move {
    bool known; /* false if the table has no move for this event in this state; the event then changes nothing */
    enum hf_renewal_state next;
    enum hf_renewal_action action;
    enum hf_renewal_delay delay;
};

struct hf_renewal_move hf_renewal_move(enum hf_renewal_state state, enum hf_renewal_event event);
const char *hf_renewal_state_name(enum hf_renewal_state state);

/* Returns the Unix time at which to renew a certificate: at two thirds of the time from `received` to `not_after`,
 * earlier or later by up to a tenth of that time. `jitter` (0 to UINT32_MAX) chooses the point, and should come from
 * the key, so that a restart does not choose another one. `received` counts as not_before if it is outside of the
 * lifetime, because the file was copied or a clock was wrong. */
uint64_t hf_renewal_date(uint64_t not_before_unix_ns, uint64_t not_after_unix_ns, uint64_t received_unix_ns,
                         uint32_t jitter);

/* Appends the whole table as text, for tests/golden/renewal.txt. */
HF_MUST_USE int hf_renewal_print(struct hf_buf *out);
