/* sv32.S
 * ONLY 32 */
#define LEVELS 2
#define VBITS 10
#define MODE 1
#include "vm.inc"
