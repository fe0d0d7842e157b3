/* controller/lead/lease.h - decides when this process reads or writes the Lease, and if it leads. Pure.
 *
 *     FOLLOWER --read: free, expired or ours--> take --written--> LEADER --no write for renew_deadline--> FOLLOWER
 *        ^                                                          |
 *        '------------- a read shows another holder, or a higher epoch
 *
 * A process leads for renew_deadline after it has sent its last successful write. Others take the Lease when its record
 * has not changed for `duration` on their own monotonic clock. They never read the time in the record, so a wrong
 * wall clock or a lying renewTime changes nothing. As renew_deadline is shorter than `duration`, and both begin at the
 * same write, two processes do not lead at once unless a monotonic clock is wrong.
 *
 * The epoch of a leader is the field leaseTransitions of its record. It grows with each change of the holder, with each
 * return of a leader that had stopped to lead, and beyond hf_lease_floor(). After somebody has deleted the Lease, it
 * goes on from the highest epoch that this process knows. So no two leaders have the same epoch. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

enum { HF_LEASE_HOLDER = 254, HF_LEASE_TIME = 40 };

/* The usual times of Kubernetes' components. */
#define HF_LEASE_DURATION_NS (15 * 1000000000ull)
#define HF_LEASE_RENEW_DEADLINE_NS (10 * 1000000000ull)
#define HF_LEASE_RETRY_NS (2 * 1000000000ull)
#define HF_LEASE_LONGEST_NS                                                                                            \
    (60 * 1000000000ull) /* the longest duration that the record of another holder may ask for */

struct hf_lease_timing {
    uint64_t duration_ns;       /* time without a change of the record, after which others may take the Lease */
    uint64_t renew_deadline_ns; /* time without a successful write, after which a leader stops to lead */
    uint64_t retry_ns;          /* time between two attempts */
};

/* What the spec of a Lease says. */
struct hf_lease_record {
    char holder[HF_LEASE_HOLDER];
    char renewed[HF_LEASE_TIME]; /* renewTime as text; compared, never read as a time */
    uint64_t transitions;        /* leaseTransitions */
    uint64_t duration_ns;        /* leaseDurationSeconds */
};

enum hf_lease_want { HF_LEASE_NOTHING, HF_LEASE_READ, HF_LEASE_CREATE, HF_LEASE_WRITE, HF_LEASE_RELEASE };

struct hf_lease {
    struct hf_lease_timing timing;
    char identity[HF_LEASE_HOLDER];
    struct hf_lease_record seen;    /* the newest record */
    bool current, absent;           /* `seen` is what the server has now; the server has no Lease */
    bool read_once;                 /* a read has succeeded since the start of the process */
    uint64_t seen_ns;               /* monotonic time at which `seen` became what it is */
    bool leading;                   /* true after a successful write; see hf_lease_leads() */
    uint64_t epoch, floor, highest; /* our last epoch; see hf_lease_floor(); the highest epoch of any holder */
    uint64_t renewed_ns;            /* monotonic time at which the last successful write was sent */
    enum hf_lease_want busy;        /* the request in flight */
    uint64_t sent_ns, writes_epoch; /* when the request was sent; the epoch that it writes */
    uint64_t next_ns;               /* no request before this monotonic time */
    bool releasing, released;
};

/* Prepares a follower. Cuts an identity that is longer than HF_LEASE_HOLDER - 1 bytes. */
void hf_lease_init(struct hf_lease *lease, const char *identity, const struct hf_lease_timing *timing);

/* Returns true if the process leads at the monotonic time `now_ns`. Ask before each effect. */
bool hf_lease_leads(const struct hf_lease *lease, uint64_t now_ns);

/* Returns the request to send now, which the lease then regards as in flight until hf_lease_answer(), or
 * HF_LEASE_NOTHING. CREATE and WRITE have to write a record with this process as the holder, the epoch
 * lease->writes_epoch as leaseTransitions, and a new renewTime. RELEASE writes an empty holder. WRITE and RELEASE have
 * to carry the resourceVersion of the last answer. */
enum hf_lease_want hf_lease_tick(struct hf_lease *lease, uint64_t now_ns);

/* Takes the result of the request in flight. `r` is that of struct hf_kube_answer. `record` is the record of the
 * answer if r is 0; otherwise NULL. `retry_after_ns` is the delay that the server wants, or 0. */
void hf_lease_answer(struct hf_lease *lease, uint64_t now_ns, int r, uint64_t retry_after_ns,
                     const struct hf_lease_record *record);

/* Returns the monotonic time at which hf_lease_tick() should come next; UINT64_MAX: not before the next answer. */
uint64_t hf_lease_due(const struct hf_lease *lease);

/* Reports the highest epoch that is in any object of the cluster. The next epoch is above it, and a leader with a lower
 * epoch raises its own with its next write. This matters after somebody has deleted the Lease. */
void hf_lease_floor(struct hf_lease *lease, uint64_t epoch);

/* Stops to lead at once; hf_lease_tick() then releases the Lease if this process holds it. */
void hf_lease_release(struct hf_lease *lease, uint64_t now_ns);
/* Returns true if there is nothing more to release. */
bool hf_lease_is_released(const struct hf_lease *lease);
