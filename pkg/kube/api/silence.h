/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a server that keeps the connection but stopped working: sends a ping after more silence than usual
 * (rules/pulse.h). Three missing bookmarks also end a watch. */
#pragma once

#include "kube/rules/pulse.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_kube;

struct hf_kube_silence {
    struct hf_pulse pulse;
    struct hf_timer *timer;
    struct hf_exchange *ping;
    uint64_t heard_ns;
};

void hf_kube_heard(struct hf_kube *kube); /* bytes of a watch came */
void hf_kube_alive(struct hf_kube *kube); /* a sign of life came, not second-hand */
void hf_kube_arm_pulse(struct hf_kube *kube);
void hf_kube_pulse_timer(void *arg);
