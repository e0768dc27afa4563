"""How a text file is written: settings that discovery infers and people may correct."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from node_catalog.sdk.contract import Settings
from node_catalog.sdk.errors import Problem
from node_catalog.sdk.fields import setting
from node_catalog.sdk.ports import is_type
from node_catalog.sdk.schema_problems import escape
from node_catalog.sdk.text import text

NULL_VALUES = ("", "NA", "N/A", "n/a", "NULL", "null", "NaN", "nan", "#N/A", "\\N")


class FileSettings(Settings):
    """Dialect and types of one file (or of all files of a glob)."""

    format: Annotated[
        Literal["csv", "parquet", "jsonl", "excel"],
        setting(
            text("Format", "格式"),
            choices={
                "csv": text("CSV text", "CSV 文本"),
                "parquet": text("Parquet", "Parquet"),
                "jsonl": text("JSON Lines", "JSON Lines"),
                "excel": text("Excel sheet", "Excel 工作表"),
            },
        ),
    ] = "csv"
    encoding: Annotated[
        str,
        setting(
            text("Encoding", "编码"),
            text(
                "How characters are stored. GB18030 also reads GBK and GB2312.",
                "字符的存储方式。GB18030 兼容 GBK 和 GB2312。",
            ),
            extra={"x-suggestions": ["utf-8", "gb18030", "utf-16", "utf-16-le", "big5", "latin-1"]},
            min_length=1,
            max_length=40,
        ),
    ] = "utf-8"
    delimiter: Annotated[
        str,
        setting(
            text("Separator", "分隔符"),
            text("The character between two values.", "两个值之间的字符。"),
            extra={"x-suggestions": [",", ";", "\t", "|"]},
            min_length=1,
            max_length=1,
        ),
    ] = ","
    quote: Annotated[
        str,
        setting(
            text("Quote", "引号"),
            text("Encloses values that contain the separator.", "用于括住含有分隔符的值。"),
            max_length=1,
        ),
    ] = '"'
    header: Annotated[
        bool,
        setting(
            text("First row has the names", "首行是列名"),
            text("Off: columns are called column1, column2 …", "关闭后列名为 column1、column2 等。"),
        ),
    ] = True
    skip_rows: Annotated[
        int,
        setting(
            text("Rows to skip at the start", "开头跳过的行数"),
            text("Titles above the table.", "表格上方的标题行。"),
            ge=0,
            le=10000,
        ),
    ] = 0
    footer_rows: Annotated[
        int,
        setting(
            text("Rows to skip at the end", "结尾跳过的行数"),
            text("Totals and notes below the table.", "表格下方的合计和说明行。"),
            ge=0,
            le=10000,
        ),
    ] = 0
    decimal: Annotated[
        Literal[".", ","],
        setting(
            text("Decimal sign", "小数点"),
            choices={".": text("point: 1.5", "点：1.5"), ",": text("comma: 1,5", "逗号：1,5")},
        ),
    ] = "."
    multiline: Annotated[
        bool,
        setting(
            text("Quoted values contain line breaks", "引号内含换行"),
            text("Slower; only when needed.", "读取较慢，仅在需要时开启。"),
        ),
    ] = False
    null_values: Annotated[
        tuple[str, ...],
        setting(text("Written for “no value”", "表示空值的写法"), text("For example NA or -.", "例如 NA 或 -。")),
    ] = NULL_VALUES
    types: Annotated[
        dict[str, str],
        setting(
            text("Types of columns", "列的类型"),
            text("Column → type; what is not listed is text.", "列 → 类型；未列出的按文本读取。"),
            widget="types",
        ),
    ] = {}
    formats: Annotated[
        dict[str, str],
        setting(
            text("Forms of dates", "日期写法"),
            text(
                "Column → pattern, when it is not 2024-01-31: %Y/%m/%d.",
                "列 → 写法，当日期不是 2024-01-31 形式时填写，如 %Y/%m/%d。",
            ),
        ),
    ] = {}

    header_rows: Annotated[
        int,
        setting(
            text("Rows of the header", "表头行数"),
            text(
                "Excel: names of several rows are joined, for example “Air · PM2.5”.",
                "用于 Excel：多行表头的名称会用“·”连接，例如“空气 · PM2.5”。",
            ),
            ge=1,
            le=20,
        ),
    ] = 1
    merged: Annotated[
        Literal["fill", "empty"],
        setting(
            text("Merged cells below the header", "表头以下的合并单元格"),
            choices={
                "fill": text("every row gets the value", "每一行都取该值"),
                "empty": text("only the first row has the value", "仅首行有值，其余为空"),
            },
        ),
    ] = "fill"
    optional: Annotated[
        tuple[str, ...],
        setting(
            text("Names that may be missing", "可缺省的字段"),
            text(
                "JSON Lines: these names need not be in every file. Every other one must be, or reading stops.",
                "用于 JSON Lines：这些字段可以不出现在文件中，其余字段缺失时会停止读取。",
            ),
        ),
    ] = ()

    def problems(self) -> Iterable[Problem]:
        """Encodings must exist, types must be ours."""
        try:
            "".encode(self.encoding)
        except (LookupError, ValueError):
            message = text(
                f"The encoding “{self.encoding}” is not known. Try utf-8 or gb18030.",
                f"无法识别编码“{self.encoding}”，可尝试 utf-8 或 gb18030。",
            )
            yield Problem("/encoding", "file.encoding_unknown", message)
        for column, kind in self.types.items():
            if not is_type(kind) or kind == "binary":
                message = text(f"“{kind}” is no type for a column of text.", f"“{kind}”不是文本列可用的类型。")
                yield Problem(f"/types/{escape(column)}", "file.type_unknown", message)
        if self.quote == self.delimiter:
            yield Problem("/quote", "file.quote", text("Quote and separator must differ.", "引号和分隔符不能相同。"))
