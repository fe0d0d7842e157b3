/* SPDX-License-Identifier: Apache-2.0 */
/* controller/lead/lease.h - decides when this process reads or writes the Lease, and if this process leads. Pure.
 *
 *     FOLLOWER --read: free, expired or ours--> take --written--> LEADER --no write for renew_deadline--> FOLLOWER
 *        ^                                                          |
 *        '------------- a read shows another holder, or a higher epoch
 *
 * A process leads for renew_deadline after it has sent its last successful write. Another process takes the Lease when
 * it has seen no change of the record for `duration`, or for the longer time that the record asks for (at most
 * HF_LEASE_LONGEST_NS). Each process measures these times with its own monotonic clock. No process interprets the time
 * in the record, so a wrong wall clock or a false renewTime changes nothing. The leader's time, renew_deadline, is
 * shorter than `duration`. It also begins earlier: when the leader sends the write, not when another process sees the
 * write. So two processes with different identities do not lead at once, unless a monotonic clock is wrong.
 *
 * The epoch of a leader is the field leaseTransitions of its record. The epoch grows with each change of the holder,
 * and when a former leader leads again. Each new epoch is also above the value passed to hf_lease_floor() and above the
 * highest epoch that this process has seen, even after somebody has deleted the Lease. So no two leaders have the same
 * epoch. */
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

/* The highest epoch: leaseTransitions has 32 bits. A leader that has reached it keeps it; then two leaders may have the
 * same epoch, and only resourceVersions refuse the writes of the former one. */
#define HF_LEASE_MAX_EPOCH 2147483647ull
/* An object whose epoch is above all those of the Lease, and this far above the first one that this process has seen,
 * has it from somebody else than a leader. */
#define HF_LEASE_LEAP 1000000ull

struct hf_lease_timing {
    uint64_t duration_ns;       /* time without a change of the record after which others may take the Lease */
    uint64_t renew_deadline_ns; /* time without a successful write after which a leader ceases to lead */
    uint64_t retry_ns;          /* time between two attempts */
};

/* The spec of a Lease. */
struct hf_lease_record {
    char holder[HF_LEASE_HOLDER];
    char renewed[HF_LEASE_TIME]; /* renewTime as text; only compared, never interpreted as a time */
    uint64_t transitions;        /* leaseTransitions */
    uint64_t duration_ns;        /* leaseDurationSeconds */
};

enum hf_lease_want { HF_LEASE_NOTHING, HF_LEASE_READ, HF_LEASE_CREATE, HF_LEASE_WRITE, HF_LEASE_RELEASE };

struct hf_lease {
    struct hf_lease_timing timing;
    char identity[HF_LEASE_HOLDER];
    struct hf_lease_record seen; /* the newest record */
    bool current, absent; /* `current`: the server still has the record `seen`. `absent`: the server has no Lease. */
    bool has_base;        /* `base` is known */
    bool read_once;       /* a read has succeeded since the start of the process */
    uint64_t seen_ns;     /* monotonic time at which a change of `seen` was last noticed */
    bool leading;         /* true after a successful write; see hf_lease_leads() */
    /* `epoch`: the last epoch with which this process led (0 means never). `floor`: highest argument of
     * hf_lease_floor(). `highest`: highest epoch of any holder that this process has seen. `base`: the first one. */
    uint64_t epoch, floor, highest, base;
    uint64_t renewed_ns;     /* monotonic time at which the last successful write was sent */
    enum hf_lease_want busy; /* the request in flight */
    /* `sent_ns`: monotonic time at which the request in flight was sent. `writes_epoch`: the epoch that this request
     * writes. */
    uint64_t sent_ns, writes_epoch;
    uint64_t next_ns; /* no request before this monotonic time */
    bool releasing, released;
};

/* Prepares a follower. Cuts an identity that is longer than HF_LEASE_HOLDER - 1 bytes. */
void hf_lease_init(struct hf_lease *lease, const char *identity, const struct hf_lease_timing *timing);

/* Returns true if the process leads at the monotonic time `now_ns`. Ask before each effect. */
bool hf_lease_leads(const struct hf_lease *lease, uint64_t now_ns);

/* Returns the request to send now, or HF_LEASE_NOTHING. A returned request counts as in flight until hf_lease_answer().
 * The caller must fill in the record. For CREATE and WRITE, the record has this process as the holder,
 * lease->writes_epoch as leaseTransitions, and a new renewTime. For RELEASE, it has an empty holder. WRITE and RELEASE
 * must carry the resourceVersion of the last answer. */
enum hf_lease_want hf_lease_tick(struct hf_lease *lease, uint64_t now_ns);

/* Takes the result of the request in flight. `r` and `retry_after_ns` (0: none) are those of struct hf_kube_answer.
 * `record` is the record in the answer if r is 0, otherwise NULL. */
void hf_lease_answer(struct hf_lease *lease, uint64_t now_ns, int r, uint64_t retry_after_ns,
                     const struct hf_lease_record *record);

/* Returns the monotonic time at which to call hf_lease_tick() next. UINT64_MAX means to wait for the next answer or,
 * after the release, not to call it again. */
uint64_t hf_lease_due(const struct hf_lease *lease);

/* `epoch` is the highest epoch in any object of the cluster. The next epoch is above `epoch`, and a leader with a lower
 * epoch takes a higher one with its next write. This matters after somebody has deleted the Lease, because the new
 * Lease contains no epoch. Returns false, and ignores `epoch`, if no leader can have had it (HF_LEASE_LEAP): nobody but
 * leaders may use up the epochs. */
bool hf_lease_floor(struct hf_lease *lease, uint64_t epoch);

/* Ceases to lead at once; hf_lease_tick() then releases the Lease if this process holds it. */
void hf_lease_release(struct hf_lease *lease, uint64_t now_ns);
/* Returns true if hf_lease_release() was called and the release has ended, successful or not. */
bool hf_lease_is_released(const struct hf_lease *lease);
