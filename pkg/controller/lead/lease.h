/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when this process reads or writes the Lease, and whether it leads. Pure.
 *
 * The epoch (leaseTransitions) grows with each new holder, and when a former leader leads again. It is above
 * hf_lease_floor() and all that this process saw, even if the Lease was deleted: no two leaders share one below
 * 2147483647. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

enum { HF_LEASE_HOLDER = 254, HF_LEASE_TIME = 40 };

#define HF_LEASE_DURATION_NS (15 * 1000000000ull)
#define HF_LEASE_RENEW_DEADLINE_NS (10 * 1000000000ull)
#define HF_LEASE_RETRY_NS (2 * 1000000000ull)
#define HF_LEASE_LONGEST_NS                                                                                            \
    (60 * 1000000000ull) /* the longest duration that the record of another holder may ask for */

/* An epoch above all seen in the Lease, and more than this above the first of them, is no leader's. */
#define HF_LEASE_LEAP 1000000ull

struct hf_lease_timing {
    uint64_t duration_ns;       /* after it, others may take the Lease */
    uint64_t renew_deadline_ns; /* after it, a leader that cannot renew stops */
    uint64_t retry_ns;
};

struct hf_lease_record {
    char holder[HF_LEASE_HOLDER];
    char renewed[HF_LEASE_TIME];
    uint64_t transitions;
    uint64_t duration_ns;
};

enum hf_lease_want { HF_LEASE_NOTHING, HF_LEASE_READ, HF_LEASE_CREATE, HF_LEASE_WRITE, HF_LEASE_RELEASE };

struct hf_lease {
    struct hf_lease_timing timing;
    char identity[HF_LEASE_HOLDER];
    struct hf_lease_record seen;
    bool current, absent; /* the last answer still holds; by it, the server has no Lease */
    bool has_base;
    bool read_once;
    uint64_t seen_ns;
    bool leading;
    /* in order: our last epoch, that of hf_lease_floor(), any holder's highest, the first one seen */
    uint64_t epoch, floor, highest, base;
    uint64_t renewed_ns; /* when the last successful write was sent */
    enum hf_lease_want busy;
    uint64_t sent_ns, writes_epoch;
    uint64_t next_ns;
    bool releasing, released;
};

void hf_lease_init(struct hf_lease *lease, const char *identity, const struct hf_lease_timing *timing);

bool hf_lease_leads(const struct hf_lease *lease, uint64_t now_ns);

/* Returns the next request, in flight until hf_lease_answer(). CREATE, WRITE: us as holder, lease->writes_epoch, new
 * renewTime. RELEASE: no holder. WRITE, RELEASE: resourceVersion of the last answer. */
enum hf_lease_want hf_lease_tick(struct hf_lease *lease, uint64_t now_ns);

/* `r`, `retry_after_ns`: of struct hf_kube_answer; `record` counts only if r is 0. */
void hf_lease_answer(struct hf_lease *lease, uint64_t now_ns, int r, uint64_t retry_after_ns,
                     const struct hf_lease_record *record);

/* Returns when to call hf_lease_tick(); UINT64_MAX: after an answer, or never. */
uint64_t hf_lease_due(const struct hf_lease *lease);

/* `epoch`: the highest of any object; our next one will be above it. Returns false, and ignores `epoch`, if it is no
 * leader's (HF_LEASE_LEAP). */
bool hf_lease_floor(struct hf_lease *lease, uint64_t epoch);

/* Stops leading; hf_lease_tick() then releases. */
void hf_lease_release(struct hf_lease *lease, uint64_t now_ns);
/* Whether the release has ended, well or not. */
bool hf_lease_is_released(const struct hf_lease *lease);
