/* Where a program begins on QEMU's board mps2-an500, a Cortex-M7: the table of vectors, and the floating
 * point unit switched on before newlib's own start. */
#include <stdint.h>

extern uint32_t stack_top[];
extern void _start(void);

static void stop(void) {
    /* Semihosting: the program ended by a fault. */
    register uint32_t operation __asm__("r0") = 0x18;
    register uint32_t reason __asm__("r1") = 0x20023;
    __asm__ volatile("bkpt 0xab" : : "r"(operation), "r"(reason));
    for (;;) {
    }
}

__attribute__((naked)) void reset(void) {
    __asm__ volatile("ldr r0, =0xe000ed88\n"
                     "ldr r1, [r0]\n"
                     "orr r1, r1, #(0xf << 20)\n"
                     "str r1, [r0]\n"
                     "dsb\n"
                     "isb\n"
                     "b _start\n");
}

__attribute__((section(".vectors"), used)) static const void *const vectors[16] = {
    stack_top, (const void *)reset, (const void *)stop, (const void *)stop, (const void *)stop,
    (const void *)stop, (const void *)stop,
};
