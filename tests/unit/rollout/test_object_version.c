/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of one object in the order in which they come: what is late, new, or sent by a restored store. */
#include "rollout/object_version.h"

#include "base/macros.h"
#include "support/check_main.h"

#define SOURCE HF_VERSION_FROM_SOURCE
#define NEW HF_VERSION_NEW
#define LATE HF_VERSION_LATE
#define REWOUND HF_VERSION_REWOUND

struct come {
    uint64_t version, decided_on;
    enum hf_version_age want;
};

static const struct {
    const char *name;
    size_t n;
    struct come comes[6];
} rows[] = {
    {"a watch", 3, {{5, SOURCE, NEW}, {5, SOURCE, NEW}, {9, SOURCE, NEW}}},
    {"an answer before the watch",
     5,
     {{5, SOURCE, NEW}, {9, 5, NEW}, {5, SOURCE, LATE}, {9, SOURCE, NEW}, {11, SOURCE, NEW}}},
    {"an answer after the watch",
     5,
     {{5, SOURCE, NEW}, {12, SOURCE, NEW}, {9, 5, LATE}, {12, 9, NEW}, {13, SOURCE, NEW}}},
    {"a watch that is behind two answers",
     5,
     {{5, SOURCE, NEW}, {9, 5, NEW}, {15, 9, NEW}, {9, SOURCE, LATE}, {15, SOURCE, NEW}}},
    {"a restored store",
     6,
     {{50, SOURCE, NEW}, {7, SOURCE, REWOUND}, {8, SOURCE, NEW}, {9, 8, NEW}, {8, SOURCE, LATE}, {9, SOURCE, NEW}}},
    {"a restored store after an answer that the watch brought",
     4,
     {{50, SOURCE, NEW}, {60, 50, NEW}, {60, SOURCE, NEW}, {50, SOURCE, REWOUND}}},
    {"a restored store after an answer that no watch brought", /* the version 50 shows nothing yet */
     5,
     {{50, SOURCE, NEW}, {60, 50, NEW}, {50, SOURCE, LATE}, {55, SOURCE, REWOUND}, {56, SOURCE, NEW}}},
    {"a restored store after a late version",
     4,
     {{50, SOURCE, NEW}, {60, 50, NEW}, {50, SOURCE, LATE}, {49, SOURCE, REWOUND}}},
    {"versions that are no numbers", 4, {{50, SOURCE, NEW}, {0, SOURCE, NEW}, {0, 0, NEW}, {7, SOURCE, NEW}}},
};

START_TEST(ages)
{
    struct hf_object_version object = {0};

    for (size_t i = 0; i < rows[_i].n; i++) {
        const struct come *come = &rows[_i].comes[i];
        enum hf_version_age age = hf_object_version_take(&object, come->version, come->decided_on);
        ck_assert_msg(age == come->want, "%s: version %zu is %d, not %d", rows[_i].name, i, age, come->want);
    }
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, ages, 0, (int)HF_LEN(rows));
}

HF_TEST_MAIN("rollout/object_version", cases)
