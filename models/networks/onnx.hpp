// Networks from ONNX models: shapes and costs, without the weights' values.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "models/networks/layer_graph.hpp"

namespace orrery {

/// The network of an ONNX model that carries the shapes of its values (value_info). Its operators become layers:
/// Conv, Gemm, MatMul, normalisations, activations, pools, Gather of a table (embedding), Resize, Add, Mul, Concat;
/// MatMul - Softmax - MatMul becomes attention, the five nodes of GELU by Erf one layer; reshaping and transposing are
/// views. Every other operator without weights is priced as an elementwise one and noted in `notes`, as are
/// initializers that no layer holds. A loss is put behind the first output: softmax cross-entropy for vectors and
/// sequences, mean squared error for images. The first input is the network's, others are taken for constants. Batches
/// are left out: dimension 0 of every value. Problems, all at once: a file that ends too early or is no ONNX, control
/// flow, unknown operators with weights, dimensions that are not fixed, values without shapes (then: run shape
/// inference). Then the graph is empty.
LayerGraph read_onnx(const std::filesystem::path& file, Problems& problems);
/// Same from bytes; `file` stands for it in messages.
LayerGraph parse_onnx(std::string_view bytes, const std::string& file, Problems& problems);

}  // namespace orrery
