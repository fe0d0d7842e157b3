/* SPDX-License-Identifier: Apache-2.0 */
/* kube/api/silence.h - finds a server that keeps the connection and has stopped working. Private to pkg/kube.
 *
 * TCP keepalive finds a dead link within 50 s. After a longer silence than usual the client sends a ping
 * (rules/pulse.h); three missing bookmarks end a watch (watch.h). Pings are rare if bookmarks come evenly, so the first
 * watch after a failure is short: the bookmarks of the next one then come between those of the others. */
#pragma once

#include "kube/rules/pulse.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_kube;

#define HF_KUBE_PING_NS (12 * HF_NS_PER_S) /* time limit for a ping */

struct hf_kube_silence {
    struct hf_pulse pulse;
    struct hf_timer *timer;
    struct hf_exchange *ping; /* in flight, or NULL */
    uint64_t heard_ns;        /* monotonic time of the last sign of life from the real server; 0: none yet */
};

void hf_kube_heard(struct hf_kube *kube); /* bytes of a watch of the real server */
void hf_kube_alive(struct hf_kube *kube); /* another sign of life of the real server */
void hf_kube_arm_pulse(struct hf_kube *kube);
void hf_kube_pulse_timer(void *arg); /* `arg` is the hf_kube */
