/* SPDX-License-Identifier: Apache-2.0 */
/* Which way comes next: every combination of facts. */
#include "sync/way.h"

#include <string.h>

#include "base/macros.h"
#include "support/check_main.h"

#define CERTIFICATE (1u << HF_WAY_CERTIFICATE)
#define CONFIGURED (1u << HF_WAY_CONFIGURED)
#define KUBELET (1u << HF_WAY_KUBELET)

static const struct {
    struct hf_way_facts facts;
    enum hf_way way;
} rows[] = {
    {{true, true, 0}, HF_WAY_CERTIFICATE},
    {{true, false, 0}, HF_WAY_CERTIFICATE},
    {{true, true, CERTIFICATE}, HF_WAY_NONE}, /* a good certificate is no reason to use another identity */
    {{true, true, CONFIGURED | KUBELET}, HF_WAY_CERTIFICATE},
    {{false, true, 0}, HF_WAY_CONFIGURED},
    {{false, false, 0}, HF_WAY_CONFIGURED},
    {{false, true, CERTIFICATE}, HF_WAY_CONFIGURED},
    {{false, true, CONFIGURED}, HF_WAY_KUBELET},
    {{false, false, CONFIGURED}, HF_WAY_NONE},
    {{false, true, KUBELET}, HF_WAY_CONFIGURED},
    {{false, true, CONFIGURED | KUBELET}, HF_WAY_NONE},
};

START_TEST(row)
{
    ck_assert_msg(hf_way_next(&rows[_i].facts) == rows[_i].way, "row %d", _i);
}
END_TEST

/* Every way that is left is not tried again: a round ends. */
START_TEST(rounds_end)
{
    for (unsigned facts = 0; facts < 4; facts++) {
        struct hf_way_facts f = {.certificate = facts & 1, .kubelet = facts & 2};
        int n = 0;
        for (enum hf_way way; (way = hf_way_next(&f)) != HF_WAY_NONE; n++) {
            ck_assert_str_ne(hf_way_reason(way), "");
            ck_assert_str_ne(hf_way_text(way), "");
            f.excluded |= hf_way_bit(way);
        }
        ck_assert_int_le(n, 2);
    }
    ck_assert_str_eq(hf_way_reason(HF_WAYS), "");
    ck_assert_str_eq(hf_way_text(HF_WAY_NONE), "");
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, row, 0, HF_LEN(rows));
    tcase_add_test(tc, rounds_end);
}

HF_TEST_MAIN("sync/way", cases)
