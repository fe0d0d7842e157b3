/* SPDX-License-Identifier: Apache-2.0 */
/* The actions `commit` and `clean`: remove what nobody needs. */
#pragma once

struct entry;

void commit_start(struct entry *entry);
void commit_clean(struct entry *entry);
