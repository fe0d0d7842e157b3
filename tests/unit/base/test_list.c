/* SPDX-License-Identifier: Apache-2.0 */
#include "base/list.h"

#include "support/check_main.h"

struct item {
    int value;
    struct hf_list link;
};

static int sum(struct hf_list *head)
{
    struct hf_list *it, *following;
    int total = 0;

    hf_list_each(it, following, head)
        total = total * 10 + hf_container_of(it, struct item, link)->value;
    return total;
}

START_TEST(appends_in_order)
{
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct hf_list head;

    hf_list_init(&head);
    ck_assert(hf_list_empty(&head));
    ck_assert_int_eq(sum(&head), 0);
    for (size_t i = 0; i < HF_LEN(items); i++)
        hf_list_append(&head, &items[i].link);
    ck_assert(!hf_list_empty(&head));
    ck_assert_int_eq(sum(&head), 123);
}
END_TEST

START_TEST(removing_twice_is_harmless)
{
    struct item items[3] = {{.value = 1}, {.value = 2}, {.value = 3}};
    struct hf_list head;

    hf_list_init(&head);
    for (size_t i = 0; i < HF_LEN(items); i++)
        hf_list_append(&head, &items[i].link);
    hf_list_remove(&items[1].link);
    hf_list_remove(&items[1].link);
    ck_assert_int_eq(sum(&head), 13);
    ck_assert(hf_list_empty(&items[1].link));
}
END_TEST

START_TEST(the_visited_one_may_be_removed)
{
    struct item items[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 4}};
    struct hf_list head, *it, *following;
    int visits = 0;

    hf_list_init(&head);
    for (size_t i = 0; i < HF_LEN(items); i++)
        hf_list_append(&head, &items[i].link);
    hf_list_each(it, following, &head) {
        visits++;
        hf_list_remove(it);
    }
    ck_assert_int_eq(visits, 4);
    ck_assert(hf_list_empty(&head));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, appends_in_order);
    tcase_add_test(tc, removing_twice_is_harmless);
    tcase_add_test(tc, the_visited_one_may_be_removed);
}
HF_TEST_MAIN("base/list", cases)
