/* SPDX-License-Identifier: Apache-2.0 */
/* Finds a server that keeps the connection and has stopped working. TCP keepalive finds a dead link within 50 s. After
 * more silence than usual comes a ping (rules/pulse.h); three missing bookmarks end a watch (watch.h). The first watch
 * after a failure is short: the next one's bookmarks come between the others', and pings are rare. Private to
 * pkg/kube. */
#pragma once

#include "kube/rules/pulse.h"
#include "loop/sched.h"

struct hf_exchange;
struct hf_kube;

struct hf_kube_silence {
    struct hf_pulse pulse;
    struct hf_timer *timer;
    struct hf_exchange *ping; /* or NULL */
    uint64_t heard_ns;        /* monotonic: last sign of life of the real server; 0: none */
};

void hf_kube_heard(struct hf_kube *kube); /* watch of the real server */
void hf_kube_alive(struct hf_kube *kube); /* the real server */
void hf_kube_arm_pulse(struct hf_kube *kube);
void hf_kube_pulse_timer(void *arg); /* of the hf_kube */
