/* SPDX-License-Identifier: Apache-2.0 */
/* The action `place` of the targets Files and StaticPods. */
#pragma once

struct entry;

void apply_start(struct entry *entry);
