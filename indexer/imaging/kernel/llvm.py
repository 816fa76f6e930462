"""The machine instructions of the kernel, as numba intrinsics written in LLVM.

Decision 0016: two bit instructions, a comparison, a dilation and two steps for features are LLVM intrinsics.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

WORD = 64
"""Pixels in a word."""
VECTOR_WORDS = 8
"""Words that are processed at once."""
CELL_BYTES = 80
"""Bytes of a cell of features, as `indexer.domain.feature_layout` says; a constant here, as the code is unrolled."""
_LANES = 16  # numbers of 32 bits that are added at once
_PREFETCHED_BYTES = 128  # a cell, wherever it begins in a line of 64 bytes


@intrinsic
def lowest_bit(typing_context: Any, value: Any) -> Any:
    """Position of the lowest set bit of a word that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64), ir.IntType(1)])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.cttz.i64")
        return builder.call(function, [arguments[0], ir.Constant(ir.IntType(1), 1)])

    return types.int64(types.uint64), generate


@intrinsic
def count_bits(typing_context: Any, value: Any) -> Any:
    """Number of set bits of a word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.FunctionType(ir.IntType(64), [ir.IntType(64)])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.ctpop.i64")
        return builder.call(function, arguments)

    return types.int64(types.uint64), generate


@intrinsic
def differing_bits(typing_context: Any, pixels: Any, a: Any, b: Any, threshold: Any) -> Any:
    """A word with a bit for each of the 64 pixels from offset a: set if it differs from the one at offset b.

    Two pixels differ if their difference is above the threshold.
    """
    octets = ir.VectorType(ir.IntType(8), WORD)
    first = ir.Constant(ir.IntType(32), 0)
    nothing = ir.Constant(octets, ir.Undefined)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, *offsets, limit = arguments
        data = context.make_array(signature.args[0])(context, builder, array).data
        starts = (builder.bitcast(builder.gep(data, [offset]), octets.as_pointer()) for offset in offsets)
        vector_a, vector_b = (builder.load(start, align=1) for start in starts)
        larger = builder.icmp_unsigned(">", vector_a, vector_b)
        difference = builder.sub(builder.select(larger, vector_a, vector_b), builder.select(larger, vector_b, vector_a))
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), WORD), [0] * WORD)
        limits = builder.shuffle_vector(builder.insert_element(nothing, limit, first), nothing, everywhere)
        return builder.bitcast(builder.icmp_unsigned(">", difference, limits), ir.IntType(64))

    return types.uint64(pixels, types.int64, types.int64, types.uint8), generate


@intrinsic
def squared_difference(typing_context: Any, pixels: Any, a: Any, b: Any) -> Any:
    """The sum of the squared differences of the bytes of a cell from offset a on and of those from offset b on."""
    octets, numbers = ir.VectorType(ir.IntType(8), _LANES), ir.VectorType(ir.IntType(32), _LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, *offsets = arguments
        data = context.make_array(signature.args[0])(context, builder, array).data
        starts = [builder.gep(data, [offset]) for offset in offsets]
        total = ir.Constant(numbers, [0] * _LANES)
        for first in range(0, CELL_BYTES, _LANES):
            parts = (builder.gep(start, [ir.Constant(ir.IntType(64), first)]) for start in starts)
            loaded = (builder.load(builder.bitcast(part, octets.as_pointer()), align=1) for part in parts)
            difference = builder.sub(*(builder.zext(part, numbers) for part in loaded))
            total = builder.add(total, builder.mul(difference, difference))
        kind = ir.FunctionType(ir.IntType(32), [numbers])
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.vector.reduce.add.v{_LANES}i32")
        return builder.call(function, [total])

    return types.int32(pixels, types.int64, types.int64), generate


@intrinsic
def prefetch_cell(typing_context: Any, pixels: Any, offset: Any) -> Any:
    """Asks for the bytes of a cell from an offset on, which will be read soon; it may be beyond the end."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, offset = arguments
        data = context.make_array(signature.args[0])(context, builder, array).data
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [data.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
        to_read, keep, as_data = (ir.Constant(number, value) for value in (0, 3, 1))
        for line in range(0, _PREFETCHED_BYTES, 64):
            start = builder.gep(data, [builder.add(offset, ir.Constant(offset.type, line))])
            builder.call(function, [start, to_read, keep, as_data])
        return context.get_dummy_value()

    return types.void(pixels, types.int64), generate


@intrinsic
def dilate_vector(typing_context: Any, rows: Any, first: Any, count: Any, by: Any, target: Any, grown: Any) -> Any:
    """Writes a vector of 8 dilated words to index `target` of `grown`.

    The vector is the union of `count` vectors: the one at index `first` of `rows`, and those at the same column of the
    next rows. The union is then dilated by `by` pixels to the left and to the right.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, first, count, by, target, _ = arguments
        source, sink = (context.make_array(signature.args[n])(context, builder, arguments[n]) for n in (0, 5))
        width = builder.extract_value(source.shape, 1)
        vector = ir.VectorType(ir.IntType(64), VECTOR_WORDS)
        every = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR_WORDS), [0] * VECTOR_WORDS)

        def at(data: Any, index: Any) -> Any:
            return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())

        def broadcast(value: Any) -> Any:
            nothing = ir.Constant(vector, ir.Undefined)
            single = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(single, nothing, every)

        joined = [cgutils.alloca_once_value(builder, ir.Constant(vector, [0] * VECTOR_WORDS)) for _ in range(3)]
        with cgutils.for_range(builder, count) as loop:
            index = builder.add(first, builder.mul(loop.index, width))
            for accumulator, shift in zip(joined, (-1, 0, 1), strict=True):
                words = builder.load(at(source.data, builder.add(index, ir.Constant(index.type, shift))), align=8)
                builder.store(builder.or_(builder.load(accumulator), words), accumulator)
        before, here, after = (builder.load(accumulator) for accumulator in joined)
        result = cgutils.alloca_once_value(builder, here)
        with cgutils.for_range(builder, by) as loop:
            near = builder.add(loop.index, ir.Constant(loop.index.type, 1))
            far = broadcast(builder.sub(ir.Constant(near.type, WORD), near))
            near = broadcast(near)
            right = builder.or_(builder.shl(here, near), builder.lshr(before, far))
            left = builder.or_(builder.lshr(here, near), builder.shl(after, far))
            builder.store(builder.or_(builder.load(result), builder.or_(right, left)), result)
        builder.store(builder.load(result), at(sink.data, target), align=8)
        return context.get_dummy_value()

    return types.void(rows, types.int64, types.int64, types.int64, types.int64, grown), generate
