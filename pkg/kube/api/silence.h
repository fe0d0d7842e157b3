/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a server that keeps the connection but stopped working; TCP keepalive finds a dead link within 50 s. After more
 * silence than usual it sends a ping (rules/pulse.h). Three missing bookmarks end a watch (watch.h). */
#pragma once

#include "kube/rules/pulse.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_kube;

struct hf_kube_silence {
    struct hf_pulse pulse;
    struct hf_timer *timer;
    struct hf_exchange *ping;
    uint64_t heard_ns; /* last sign of life */
};

void hf_kube_heard(struct hf_kube *kube); /* by a watch */
void hf_kube_alive(struct hf_kube *kube); /* a sign of life, not second-hand */
void hf_kube_arm_pulse(struct hf_kube *kube);
void hf_kube_pulse_timer(void *arg);
